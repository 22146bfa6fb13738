/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has children in every way there is, each doing the work of target_offspring under a number of its own.
 *
 *   target_brood KIND FIRST COUNT [KIND FIRST COUNT]...
 *   target_brood DIR       the same by lines that come through DIR/in; answered "done" through DIR/out
 *   target_brood -         the same through its standard streams
 *
 * KIND: fork (never execs), exec (fork and exec), vfork (and exec), spawn (posix_spawn), double (a child's child, and
 * the child leaves before it), threads (four threads that fork), self (no child: the work is done here). target_offspring
 * must lie beside it. Ends with the count of children that failed.
 */
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "offspring.h"
#include "talk.h"

#define THREADS 4

extern char **environ;

static char program[4096];

static char *const *arguments(unsigned long number)
{
	static __thread char digits[24];
	static __thread char *argv[3];

	snprintf(digits, sizeof(digits), "%lu", number);
	argv[0] = program;
	argv[1] = digits;
	return argv;
}

static void by_fork(unsigned long number)
{
	if (!fork())
		_exit(offspring(number));
}

static void by_exec(unsigned long number)
{
	if (!fork()) {
		execv(program, arguments(number));
		_exit(1);
	}
}

static void by_vfork(unsigned long number)
{
	char *const *argv = arguments(number);

	if (!vfork()) {
		execv(program, argv);
		_exit(1);
	}
}

static void by_spawn(unsigned long number)
{
	pid_t pid;

	posix_spawn(&pid, program, NULL, NULL, arguments(number), environ);
}

/* The grandchild becomes a child of this process, which is a subreaper. */
static void by_double(unsigned long number)
{
	if (!fork()) {
		if (!fork())
			_exit(offspring(number));
		_exit(0);
	}
}

struct share {
	pthread_t thread;
	unsigned long first, count;
};

static void *thread_main(void *arg)
{
	const struct share *share = arg;

	for (unsigned long i = 0; i < share->count; i++)
		by_fork(share->first + i);
	return NULL;
}

static void by_threads(unsigned long first, unsigned long count)
{
	struct share shares[THREADS];

	for (unsigned long i = 0; i < THREADS; i++) {
		unsigned long from = count * i / THREADS, to = count * (i + 1) / THREADS;

		shares[i] = (struct share){.first = first + from, .count = to - from};
		pthread_create(&shares[i].thread, NULL, thread_main, &shares[i]);
	}
	for (unsigned long i = 0; i < THREADS; i++)
		pthread_join(shares[i].thread, NULL);
}

static void by_self(unsigned long number)
{
	offspring(number);
}

static const struct {
	const char *name;
	void (*make)(unsigned long number);
} kinds[] = {
	{"fork", by_fork},   {"exec", by_exec},	    {"vfork", by_vfork},
	{"spawn", by_spawn}, {"double", by_double}, {"self", by_self},
};

static int reap_all(void)
{
	int status, failed = 0;

	while (wait(&status) > 0)
		failed += status != 0;
	return failed;
}

static int breed(const char *kind, unsigned long first, unsigned long count)
{
	if (!strcmp(kind, "threads"))
		by_threads(first, count);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		for (unsigned long n = 0; n < count && !strcmp(kind, kinds[i].name); n++)
			kinds[i].make(first + n);
	return reap_all();
}

static void serve(void)
{
	unsigned long first, count;
	char line[64], kind[16];

	while (talk_hear(line, sizeof(line)))
		if (sscanf(line, "%15s %lu %lu", kind, &first, &count) == 3)
			talk_say("%s", breed(kind, first, count) ? "failed" : "done");
}

int main(int argc, char **argv)
{
	int failed = 0;

	snprintf(program, sizeof(program), "%.*starget_offspring", (int)(strrchr(argv[0], '/') + 1 - argv[0]), argv[0]);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 1; i + 2 < argc; i += 3)
		failed += breed(argv[i], strtoul(argv[i + 1], NULL, 10), strtoul(argv[i + 2], NULL, 10));
	if (argc == 2 && strcmp(argv[1], "-"))
		talk_through(argv[1]);
	if (argc == 2)
		serve();
	return failed > 100 ? 100 : failed;
}
