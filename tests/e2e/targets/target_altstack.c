/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A signal handler that allocates, on an alternate stack above (with an argument: below) the stack of the thread that it
 * interrupts while that is in malloc. (No manual allows it; samplers and crash reporters do it, and with glibc's cache per
 * thread it works.) It ends by itself when SIGNALS of them have been handled.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "target.h"

#define SIGNALS	    3000
#define STACK_BYTES (1 << 20)

static volatile sig_atomic_t handled;
static sem_t handled_one;
static void *volatile sink;
static char *memory, *alternate_stack;

static void handle(int number)
{
	(void)number;
	sink = malloc(24);
	handled++;
	sem_post(&handled_one);
}

static void *work(void *arg)
{
	const stack_t alternate = {.ss_sp = alternate_stack, .ss_size = STACK_BYTES};
	sigset_t set;

	if (sigaltstack(&alternate, NULL))
		_exit(1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	while (handled < SIGNALS) {
		/* Out of the thread's cache: it holds no lock when the signal comes. */
		sink = malloc(64);
		free(sink);
	}
	return arg;
}

int main(int argc, char *argv[] __attribute__((unused)))
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK | SA_RESTART};
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t set;

	memory = mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 1;
	alternate_stack = memory + (argc > 1 ? 0 : STACK_BYTES);
	target_await();
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, memory + (argc > 1 ? STACK_BYTES : 0), STACK_BYTES);
	if (pthread_create(&thread, &attributes, work, NULL))
		return 1;
	/* Each at another moment of a malloc: when the one before has been handled. */
	for (int i = 0; i < SIGNALS; i++) {
		pthread_kill(thread, SIGUSR1);
		/* Not in a loop that takes the processor from the other thread. */
		while (sem_wait(&handled_one))
			;
	}
	pthread_join(thread, NULL);
	return 0;
}
