/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon: it forks twice, leaves its session and its standard files, and its first process ends with status 3. The one
 * that is left waits until the FIFO is opened for writing, allocates, and ends.
 *
 *   target_daemon FIFO
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCKS	   100
#define BLOCK_SIZE 4321

static void *volatile kept[BLOCKS];

static void leave_session(void)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
}

int main(int argc, char **argv)
{
	pid_t child = argc == 2 ? fork() : -1;

	if (child < 0)
		return 2;
	if (child) {
		waitpid(child, NULL, 0);
		return 3;
	}
	leave_session();
	if (fork())
		_exit(0);
	if (open(argv[1], O_RDONLY) < 0)
		return 1;
	for (int i = 0; i < BLOCKS; i++)
		kept[i] = malloc(BLOCK_SIZE);
	return 0;
}
