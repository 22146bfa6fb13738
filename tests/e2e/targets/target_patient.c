/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that notices what is done to it: target_patient PAGE THREADS WORK...
 *
 * Its threads do in turn what WORK says, and check each time that all is as it should be; the page, a file that is mapped shared,
 * says how often, and what was wrong first. It runs until the page says so.
 *
 *	calls    the function that is to be patched, with the value it should return
 *	state    registers, vector registers and red zone stay what they are over some 50 us; mask and stack of signals too
 *	sleeps   nanosleep, poll and a futex's time-out end as they should, never with EINTR
 *	reads    of a pipe that another thread of it writes to
 *	forks    children that call the function, and are waited for
 *	signals  a timer, 2000 a second, whose handler calls the function
 *	mallocs  objects of all functions, which keep what is written to them
 *	counted  waits to be released, then allocates a million objects and frees them
 *	fork     once, when it is released, a child that allocates
 *	vfork    once, and the child waits to be released
 *	share    once, a child in the same memory (CLONE_VM), which calls the function until it is released
 *	leaves   when it is released, its first thread ends
 *	again    when it is released, it executes itself, at the same addresses
 *	restartable  once, a restartable sequence that lasts until it is released
 *	rings    once, a read by io_uring of a pipe to which it writes when it is released
 *	guarded  once, a seccomp filter that kills for recvmsg; sandboxed: for ptrace
 *	dispatched  once, system calls may become signals of its own (and do not)
 *
 * At SIGUSR1 the handler waits to be released.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "e2e/kit/patient.h"
#include "e2e/kit/patient_code.h"
#include "e2e/kit/patient_heap.h"
#include "e2e/kit/patient_kernel.h"

static struct patient_page *page;
static char **command, **work;
static int channel[2];

__attribute__((format(printf, 1, 2))) static void wrong(const char *what, ...)
{
	va_list arguments;

	if (__atomic_fetch_add(&page->wrong, 1, __ATOMIC_SEQ_CST))
		return;
	va_start(arguments, what);
	vsnprintf(page->what, sizeof(page->what), what, arguments);
	va_end(arguments);
}

static void call(unsigned long x)
{
	unsigned long result = patient_function(x);

	if (result != 3 * x + 7)
		wrong("the function returned %lu of %lu", result, x);
}

static void do_calls(void)
{
	for (unsigned long i = 0; i < 1000; i++)
		call(i);
	__atomic_fetch_add(&page->calls, 1000, __ATOMIC_SEQ_CST);
}

static void do_state(void)
{
	unsigned char vectors[96];
	sigset_t mask;
	stack_t stack;

	for (size_t i = 0; i < sizeof(vectors); i++)
		vectors[i] = (unsigned char)(i * 7 + 1);
	if (state_differences(vectors, 100000))
		wrong("registers changed");
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	sigaltstack(NULL, &stack);
	if (!sigisemptyset(&mask) || stack.ss_flags != SS_DISABLE)
		wrong("the signal mask, or the signal stack");
}

static unsigned long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long)now.tv_sec * 1000000 + (unsigned long)now.tv_nsec / 1000;
}

static void do_sleeps(void)
{
	struct timespec pause = {.tv_nsec = 3000000};
	unsigned long begin = now_us();
	int word = 0;

	if (nanosleep(&pause, NULL))
		wrong("nanosleep ended with %s", strerrorname_np(errno));
	if (poll(NULL, 0, 3))
		wrong("poll ended with %s", strerrorname_np(errno));
	if (!syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &pause, NULL, 0) || errno != ETIMEDOUT)
		wrong("futex ended with %s", strerrorname_np(errno));
	if (now_us() - begin < 9000)
		wrong("9 ms were %lu us", now_us() - begin);
}

static void do_reads(void)
{
	char byte;

	if (read(channel[0], &byte, 1) != 1)
		wrong("read ended with %s", strerrorname_np(errno));
}

static void do_forks(void)
{
	pid_t child = fork();
	int status;

	if (!child) {
		do_calls();
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		wrong("a child ended with %x", (unsigned int)status);
}

/* Not for ever: the child of vfork does not end with the test. */
static void wait_for_release(void)
{
	page->held = 1;
	for (int i = 0; i < 30000 && !page->release; i++)
		syscall(SYS_nanosleep, &(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void hold(int signal)
{
	(void)signal;
	wait_for_release();
}

static void do_mallocs(void)
{
	const char *lost = heap_turn();

	if (lost)
		wrong("%s", lost);
}

static void do_counted(void)
{
	void *volatile object;

	while (!page->release)
		usleep(1000);
	while (page->allocations < 1000000) {
		object = malloc(PATIENT_BYTES);
		free(object);
		page->allocations++;
	}
}

static void do_fork(void)
{
	if (!page->release || page->held || fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	page->held = 1;
	for (;;)
		do_mallocs();
}

/* The child of vfork makes nothing but system calls. */
static void do_vfork(void)
{
	pid_t child = page->held ? 0 : vfork();

	if (page->held && !child)
		return;
	if (!child) {
		wait_for_release();
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static int call_in_child(void *arg)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	page->held = 1;
	while (!page->release)
		call((unsigned long)arg);
	return 0;
}

static void do_share(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	if (!page->held && clone(call_in_child, stack + sizeof(stack), CLONE_VM | SIGCHLD, (void *)5) < 0)
		wrong("clone ended with %s", strerrorname_np(errno));
	while (!page->held)
		usleep(1000);
}

static void do_leaves(void)
{
	if (!page->release || gettid() != getpid())
		return;
	page->left = 1;
	page->held = 1;
	pthread_exit(NULL);
}

static void do_again(void)
{
	if (!page->release || page->held)
		return;
	page->held = 1;
	execv("/proc/self/exe", command);
	wrong("exec ended with %s", strerrorname_np(errno));
}

static void do_restartable(void)
{
	if (page->held)
		return;
	restartable(sequence_word(), &page->release, &page->held);
}

static void do_rings(void)
{
	struct ring ring;
	char byte = 0;

	if (page->held)
		return;
	if (ring_open(&ring) || ring_read(&ring, channel[0], &byte) != 1)
		wrong("io_uring ended with %s", strerrorname_np(errno));
	while (thread_count() < 2)
		usleep(1000);
	wait_for_release();
	if (write(channel[1], "x", 1) != 1 || ring_result(&ring) != 1 || byte != 'x')
		wrong("the request ended with %d", ring_result(&ring));
}

/* Once. */
static void forbid(unsigned int number)
{
	if (!page->held && forbid_call(number))
		wrong("seccomp ended with %s", strerrorname_np(errno));
	page->held = 1;
}

static void do_guarded(void)
{
	forbid(SYS_recvmsg);
}

static void do_sandboxed(void)
{
	forbid(SYS_ptrace);
}

static void do_dispatched(void)
{
	page->held = may_dispatch_calls() ? 0 : 1;
}

static void handle(int signal)
{
	(void)signal;
	call(page->signals++);
}

static void start_signals(void)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	struct itimerval timer = {.it_interval.tv_usec = 500, .it_value.tv_usec = 500};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void *write_channel(void *arg)
{
	(void)arg;
	for (;;) {
		usleep(3000);
		if (write(channel[1], "x", 1) != 1)
			wrong("write ended with %s", strerrorname_np(errno));
	}
	return NULL;
}

static const struct {
	const char *name;
	void (*function)(void);
} works[] = {
	{"calls", do_calls},	       {"state", do_state},
	{"sleeps", do_sleeps},	       {"reads", do_reads},
	{"forks", do_forks},	       {"fork", do_fork},
	{"vfork", do_vfork},	       {"share", do_share},
	{"guarded", do_guarded},       {"sandboxed", do_sandboxed},
	{"dispatched", do_dispatched}, {"mallocs", do_mallocs},
	{"leaves", do_leaves},	       {"again", do_again},
	{"rings", do_rings},	       {"restartable", do_restartable},
	{"counted", do_counted},
};

static void do_one(const char *what)
{
	for (size_t i = 0; i < sizeof(works) / sizeof(*works); i++)
		if (!strcmp(what, works[i].name))
			works[i].function();
}

static void *work_on(void *arg)
{
	unsigned long *rounds = arg;

	while (!page->end) {
		for (char **what = work; *what; what++)
			do_one(*what);
		__atomic_fetch_add(rounds, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/* The page's file stays open, as its name may be gone by the second time. */
static void execute_in_place(char **argv, int file)
{
	static char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	argv[1] = name;
	command = argv;
	if (personality(0xffffffff) & ADDR_NO_RANDOMIZE)
		return;
	personality(ADDR_NO_RANDOMIZE);
	execv("/proc/self/exe", command);
}

int main(int argc, char **argv)
{
	int file = argc > 3 ? open(argv[1], O_RDWR) : -1, threads = argc > 3 ? atoi(argv[2]) : 0;
	pthread_t thread;

	if (argc > 3 && !strcmp(argv[3], "again"))
		execute_in_place(argv, file);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (page == MAP_FAILED || pipe(channel))
		return 1;
	work = argv + 3;
	signal(SIGUSR1, hold);
	page->function = (unsigned long)patient_function;
	page->offset = (unsigned long)((char *)patient_function - __ehdr_start);
	for (char **what = work; *what; what++) {
		if (!strcmp(*what, "reads"))
			pthread_create(&thread, NULL, write_channel, NULL);
		if (!strcmp(*what, "signals"))
			start_signals();
	}
	for (int i = 1; i < threads; i++)
		if (pthread_create(&thread, NULL, work_on, &page->rounds[i]))
			return 1;
	page->threads = threads;
	page->ready = 1;
	work_on(&page->rounds[0]);
	return 0;
}
