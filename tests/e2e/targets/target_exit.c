/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways to end, or to become another program. It first keeps ten blocks of 1 000 bytes; then, by its first argument:
 *   return N | threads N | _exit N | abort | kill | exec PROGRAM ... | exec-thread PROGRAM ... | leader-exit | fork N
 * threads: returns while other threads wait. leader-exit: the main thread goes, another keeps ten more of 1 001 bytes after it is let go a second time. fork: N
 * children keep ten of 1 002 bytes each and exit.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "target.h"

static void *volatile kept[10];

static void keep_ten(size_t size)
{
	for (int i = 0; i < 10; i++)
		kept[i] = malloc(size);
}

static void *exec_thread(void *arg)
{
	char **argv = arg;

	execv(argv[0], argv);
	_exit(97);
}

static void *idle_thread(void *arg)
{
	pause();
	return arg;
}

static void *late_thread(void *arg)
{
	target_await();
	keep_ten(1001);
	exit(0);
	return arg;
}

static int fork_children(int count)
{
	for (int i = 0; i < count; i++) {
		if (!fork()) {
			keep_ten(1002);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "return";
	int number = argc > 2 ? atoi(argv[2]) : 0;
	pthread_t thread;

	target_await();
	keep_ten(1000);
	if (!strcmp(way, "_exit"))
		_exit(number);
	if (!strcmp(way, "abort"))
		abort();
	if (!strcmp(way, "kill"))
		raise(SIGKILL);
	if (!strcmp(way, "exec") && argc > 2)
		execv(argv[2], argv + 2);
	if (!strcmp(way, "fork"))
		return fork_children(number);
	if (!strcmp(way, "exec-thread") && argc > 2 && !pthread_create(&thread, NULL, exec_thread, argv + 2))
		pthread_join(thread, NULL);
	for (int i = 0; i < 3 && !strcmp(way, "threads"); i++)
		pthread_create(&thread, NULL, idle_thread, NULL);
	if (!strcmp(way, "leader-exit") && !pthread_create(&thread, NULL, late_thread, NULL))
		pthread_exit(NULL);
	return number;
}
