/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stop_times [THREADS]...: for how long all threads of a process are stopped while a jump is written into its code and while it is taken out
 * again. A quarter of the threads run, the others sleep.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "system/injection.h"

#define ROUNDS 101

/* An instruction as long as a jump, and a jump to the next one. */
__asm__(".text\n"
	"stop_times_code:\n"
	"	mov $1, %eax\n"
	"	ret\n");
int stop_times_code(void);

static void *work(void *arg)
{
	while (!arg)
		stop_times_code();
	for (;;)
		pause();
	return NULL;
}

static pid_t start(int threads)
{
	pid_t pid = fork();
	pthread_t thread;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 1; i < threads; i++)
		if (pthread_create(&thread, NULL, work, i % 4 ? &thread : NULL))
			_exit(1);
	work(NULL);
	_exit(0);
}

static int compare(const void *one, const void *other)
{
	u64 a = *(const u64 *)one, b = *(const u64 *)other;

	return a < b ? -1 : a > b;
}

static void print(const char *what, int threads, u64 *times)
{
	const unsigned int median = ROUNDS / 2, ninety_five = ROUNDS * 95 / 100;

	qsort(times, ROUNDS, sizeof(*times), compare);
	printf("%-7s %4d threads: median %6.0f us, 95 %% %6.0f us, worst %6.0f us\n", what, threads,
	       (double)times[median] / 1e3, (double)times[ninety_five] / 1e3, (double)times[ROUNDS - 1] / 1e3);
}

static int measure(int threads)
{
	struct injection_patch patch = {
		.address = (uintptr_t)stop_times_code,
		.size = INJECTION_JUMP,
		.becomes = {0xe9},
		.jump_size = INJECTION_JUMP,
	};
	u64 in[ROUNDS], out[ROUNDS];
	pid_t pid = start(threads);
	int err = pid < 0 ? -errno : 0;

	memcpy(patch.was, (const void *)(uintptr_t)stop_times_code, INJECTION_JUMP);
	memcpy(patch.witness, (const u8 *)(uintptr_t)stop_times_code + INJECTION_JUMP, INJECTION_WITNESS);
	usleep(100000);
	for (int i = 0; i < ROUNDS && !err; i++) {
		err = injection_patch(pid, &patch, 1, NULL, &in[i]);
		if (!err)
			err = injection_undo(pid, &patch, 1, &out[i]);
	}
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (err) {
		fprintf(stderr, "stop_times: %s\n", injection_refusal(err));
		return 1;
	}
	print("jump", threads, in);
	print("undo", threads, out);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= measure(atoi(argv[i]));
	return failed;
}
