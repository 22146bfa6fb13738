/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Circumstances in which code that was put into a process could do harm, one each: `target_straits NAME`. It watches over its own
 * blocks, and ends with 0 if nothing was amiss.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE	4096
#define HELD	32
#define ROUNDS	2000
#define SIGNALS 4000
#define NOBODY	65534

/* Blocks that are freed, resized and made in turn, each filled with its number. */
struct blocks {
	unsigned char *block[HELD];
	size_t size[HELD];
	uint32_t random;
	bool amiss;
};

static void check_block(struct blocks *blocks, unsigned int which)
{
	for (size_t i = 0; i < blocks->size[which]; i += 61)
		blocks->amiss |= blocks->block[which][i] != which;
}

/* One more thing done to one of them. */
static void step(struct blocks *blocks)
{
	uint32_t random = blocks->random = blocks->random * 1664525 + 1013904223;
	unsigned int which = random >> 27;
	size_t size = random >> 10 & 1023;
	unsigned char *block = NULL;

	check_block(blocks, which);
	if (random & 1 << 20)
		block = realloc(blocks->block[which], size + 1);
	else
		free(blocks->block[which]);
	if (!block)
		block = random & 1 << 21 ? calloc(size + 1, 1) : malloc(size + 1);
	if (!block)
		exit(3);
	memset(block, (int)which, size + 1);
	blocks->block[which] = block;
	blocks->size[which] = size + 1;
}

static bool use(uint32_t seed, unsigned int rounds)
{
	struct blocks blocks = {.random = seed};

	for (unsigned int i = 0; i < rounds; i++)
		step(&blocks);
	for (unsigned int i = 0; i < HELD; i++) {
		check_block(&blocks, i);
		free(blocks.block[i]);
	}
	return !blocks.amiss;
}

/* --- small stacks --- */

static void *work(void *seed)
{
	return use((uint32_t)(uintptr_t)seed, ROUNDS) ? NULL : seed;
}

static int threads_with_small_stacks(void)
{
	pthread_t threads[16];
	pthread_attr_t attributes;
	int amiss = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN));
	for (uintptr_t i = 0; i < 16; i++)
		if (pthread_create(&threads[i], &attributes, work, (void *)(i + 1)))
			return 2;
	for (unsigned int i = 0; i < 16; i++) {
		void *result;

		pthread_join(threads[i], &result);
		amiss |= result != NULL;
	}
	return amiss;
}

static ucontext_t scheduler, contexts[64], *running;
static struct blocks shared_blocks;

static void run_coroutine(void)
{
	for (;;) {
		step(&shared_blocks);
		swapcontext(running, &scheduler);
	}
}

/* Another stack at each step, of two pages, behind one that nobody may touch. */
static int coroutines(void)
{
	char *memory = mmap(NULL, 64 * 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (unsigned int i = 0; i < 64; i++) {
		char *stack = memory + (3 * i + 1) * PAGE;

		if (mprotect(stack, 2 * PAGE, PROT_READ | PROT_WRITE))
			return 2;
		getcontext(&contexts[i]);
		contexts[i].uc_stack.ss_sp = stack;
		contexts[i].uc_stack.ss_size = 2 * PAGE;
		contexts[i].uc_link = &scheduler;
		makecontext(&contexts[i], run_coroutine, 0);
	}
	for (unsigned int i = 0; i < 64 * ROUNDS; i++) {
		running = &contexts[i % 64];
		swapcontext(&scheduler, running);
	}
	return shared_blocks.amiss;
}

/* --- signals --- */

static volatile sig_atomic_t handled;
static sem_t handled_one;

static void count_signal(int number)
{
	(void)number;
	handled = handled + 1;
	sem_post(&handled_one);
}

static void *work_under_signals(void *alternate)
{
	bool right = true;

	sigaltstack(alternate, NULL);
	while (handled < SIGNALS)
		right &= use(7, 100);
	return right ? NULL : alternate;
}

/* Each comes when the one before has been handled, wherever the thread is then. */
static int under_signals(int flags)
{
	static char room[1 << 16];
	stack_t alternate = {.ss_sp = room, .ss_size = sizeof(room)};
	struct sigaction action = {.sa_handler = count_signal, .sa_flags = flags};
	pthread_t thread;
	void *amiss;

	sigaction(SIGUSR1, &action, NULL);
	if (pthread_create(&thread, NULL, work_under_signals, &alternate))
		return 2;
	for (int i = 0; i < SIGNALS; i++) {
		pthread_kill(thread, SIGUSR1);
		/* Not in a loop that takes the processor from the other thread. */
		while (sem_wait(&handled_one))
			;
	}
	pthread_join(thread, &amiss);
	return amiss != NULL;
}

static int signals(void)
{
	return under_signals(0);
}

static int signals_elsewhere(void)
{
	return under_signals(SA_ONSTACK);
}

/* --- what a process may forbid itself --- */

static sem_t worked;

/* A thread that ended would call madvise itself. */
static void *work_and_stay(void *seed)
{
	if (!use((uint32_t)(uintptr_t)seed, ROUNDS))
		_exit(1);
	sem_post(&worked);
	for (;;)
		pause();
}

static int work_in_threads(void)
{
	for (uintptr_t i = 1; i <= 8; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, work_and_stay, (void *)i))
			return 2;
	}
	for (int i = 0; i < 8; i++)
		sem_wait(&worked);
	return use(9, ROUNDS) ? 0 : 1;
}

static int work_in_a_child(void)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(use(10, ROUNDS) ? 0 : 1);
	return waitpid(pid, &status, 0) == pid ? status : 2;
}

static int without_madvise(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ, SYS_madvise, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(rules) / sizeof(*rules), rules};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 2;
	return work_in_threads() || work_in_a_child();
}

static int without_time(void)
{
	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV))
		return 2;
	return work_in_threads() || work_in_a_child();
}

/* No system call but read, write and exit is left: what is allocated must be there already. */
static int without_system_calls(void)
{
	bool right;

	mallopt(M_TOP_PAD, 4 << 20);
	free(malloc(1)); /* the heap begins, with that much */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		return 2;
	right = use(11, ROUNDS);
	syscall(SYS_exit, right ? 0 : 1);
	return 2;
}

/* --- little memory --- */

/* As root there is no limit. */
static int locked(void)
{
	const struct rlimit limit = {8 << 20, 8 << 20};

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setuid(NOBODY) || mlockall(MCL_CURRENT | MCL_FUTURE))
		return 2;
	return use(12, ROUNDS) ? work_in_a_child() : 1;
}

#define SCARCE_MAX 4096

/* How many blocks there are, all of which are given back. */
static unsigned int exhaust(size_t size)
{
	static void *blocks[SCARCE_MAX];
	unsigned int count = 0, left;

	while (count < SCARCE_MAX && (blocks[count] = malloc(size)))
		count++;
	for (left = count; left;)
		free(blocks[--left]);
	return count;
}

/* Again and again there is as much as before. */
static int exhausted(void)
{
	const struct rlimit limit = {64 << 20, 64 << 20};
	unsigned int first;

	if (setrlimit(RLIMIT_AS, &limit))
		return 2;
	first = exhaust(200000);
	if (first < 100 || first == SCARCE_MAX || errno != ENOMEM)
		return 1;
	for (int i = 0; i < 20; i++)
		if (exhaust(200000) < first - 2)
			return 1;
	return use(13, ROUNDS) ? 0 : 1;
}

/* realloc fails, and leaves the block alone. */
static int refused(void)
{
	unsigned char *kept = malloc(200001), *freed = malloc(200002);
	volatile size_t far_too_much = (size_t)1 << 46;

	memset(kept, 1, 200001);
	for (int i = 0; i < 100; i++)
		if (realloc(kept, far_too_much) || realloc(freed, far_too_much) || kept[i] != 1)
			return 1;
	free(freed);
	kept = realloc(kept, 200003);
	return kept && kept[200000] == 1 ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*get_through)(void);
	} straits[] = {{"small-stacks", threads_with_small_stacks},
		       {"coroutines", coroutines},
		       {"signals", signals},
		       {"signals-elsewhere", signals_elsewhere},
		       {"no-madvise", without_madvise},
		       {"no-time", without_time},
		       {"no-system-calls", without_system_calls},
		       {"locked", locked},
		       {"exhausted", exhausted},
		       {"refused", refused}};

	for (size_t i = 0; i < sizeof(straits) / sizeof(*straits); i++)
		if (argc == 2 && !strcmp(argv[1], straits[i].name))
			return straits[i].get_through();
	return 2;
}
