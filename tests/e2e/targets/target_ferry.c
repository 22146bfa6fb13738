/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that executes itself, and then counts what it allocates: `target_ferry THREADS`. Once it stands ready, each byte that it reads
 * leads on: to the execution of itself, and to the end of its work, when it has done some more rounds. Then it prints how often each of its two
 * sizes was allocated, and how many blocks of the second are held: of the first there are none. It ends at the end of its stdin.
 *
 * Between two rounds it does nothing for a moment. `target_ferry THREADS lends` then first lends its memory to a child (vfork), until it
 * reads one byte more: its first thread cannot be stopped meanwhile.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_SIZE  200001
#define SECOND_SIZE 250001
#define HELD	    16
#define LAST_ROUNDS 200
#define PAUSE_US    500
#define THREADS_MAX 16

static atomic_bool over;
static atomic_ulong allocated, held;

static void *work(void *arg)
{
	void *blocks[HELD] = {NULL};
	unsigned long rounds = 0;

	for (unsigned int left = LAST_ROUNDS; left; left -= over) {
		void **block = &blocks[rounds++ % HELD];

		free(*block);
		*block = malloc(FIRST_SIZE);
		*block = *block ? realloc(*block, SECOND_SIZE) : NULL;
		if (!*block)
			_exit(3);
		usleep(PAUSE_US);
	}
	allocated += rounds;
	held += rounds < HELD ? rounds : HELD;
	return arg;
}

static void await_byte(void)
{
	char byte;

	if (read(STDIN_FILENO, &byte, 1) != 1)
		_exit(4);
}

static void lend(void)
{
	pid_t child = vfork();

	if (!child) {
		await_byte();
		_exit(0);
	}
	if (child < 0 || waitpid(child, NULL, 0) != child)
		_exit(7);
}

static void count(int threads, bool lends)
{
	pthread_t thread[THREADS_MAX];

	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, work, NULL))
			_exit(5);
	if (lends)
		lend();
	await_byte();
	over = true;
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("allocated %lu held %lu\n", allocated, held);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int threads = argc >= 2 ? atoi(argv[1]) : 0;
	char byte;

	if (threads < 1 || threads > THREADS_MAX)
		return 2;
	if (argc == 2 || !strcmp(argv[2], "lends")) {
		if (write(STDOUT_FILENO, "r", 1) != 1)
			return 2;
		await_byte();
		return execl(argv[0], argv[0], argv[1], argc == 2 ? "again" : "again, and lends", NULL);
	}
	count(threads, strcmp(argv[2], "again") != 0);
	return read(STDIN_FILENO, &byte, 1) ? 6 : 0;
}
