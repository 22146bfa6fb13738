/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs into which no code can be injected, at the moment or at all: they are left alone. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/code.h"
#include "e2e/kit/injected.h"
#include "system/interruption.h"
#include "system/procfs.h"

static void assert_not_traced(const struct injected *injected)
{
	assert_int_equal(procfs_tracer(injected->target.pid), 0);
}

static void test_injection_vfork(void **state)
{
	static const char *const words[] = {"1", "vfork", "calls", NULL};
	struct injected injected;

	(void)state;
	injected_start(&injected, words);
	injected_await_held(&injected);
	assert_int_equal(injected_map(&injected, 1), -ETIMEDOUT);
	assert_not_traced(&injected);
	injected.page->release = 1;
	injected_check(&injected);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	injected_cycle(&injected);
	injected_release(&injected);
}

static void test_injection_shared_memory(void **state)
{
	static const char *const words[] = {"2", "share", "calls", NULL};
	struct injected injected;

	(void)state;
	injected_start(&injected, words);
	injected_await_held(&injected);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	assert_int_equal(injected_patch(&injected, 2), -EBUSY);
	injected_check(&injected);
	injected.page->release = 1;
	injected_cycle(&injected);
	injected_release(&injected);
}

/* Its parent would not be stopped with it. */
static void test_injection_child_in_shared_memory(void **state)
{
	static const char *const words[] = {"1", "share", "calls", NULL};
	struct injected injected;

	(void)state;
	injected_start(&injected, words);
	injected_await_held(&injected);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	assert_int_equal(injection_patch(child_of(injected.target.pid), &injected.patch, 1, NULL, NULL), -EBUSY);
	assert_int_equal(code_changes(injected.target.pid, "target_patient"), 0);
	injected.page->release = 1;
	injected_check(&injected);
	injected_release(&injected);
}

/* The stack of a signal handler may be part of the thread's own one. */
static void test_injection_in_a_signal_handler(void **state)
{
	static const char *const words[] = {"1", "calls", NULL};
	struct injected injected;

	(void)state;
	injected_start(&injected, words);
	kill(injected.target.pid, SIGUSR1);
	injected_await_held(&injected);
	assert_int_equal(injected_map(&injected, 5), -EAGAIN);
	injected.page->release = 1;
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	injected_cycle(&injected);
	injected_release(&injected);
}

/* Another thread lends its stack. */
static void test_injection_beside_a_signal_handler(void **state)
{
	static const char *const words[] = {"2", "calls", NULL};
	struct injected injected;

	(void)state;
	injected_start(&injected, words);
	kill(injected.target.pid, SIGUSR1);
	injected_await_held(&injected);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	injected.page->release = 1;
	injected_cycle(&injected);
	injected_release(&injected);
}

static void test_injection_restartable(void **state)
{
	static const char *const words[] = {"1", "restartable", "calls", NULL};
	struct injected injected;
	int tries = 100;

	(void)state;
	injected_start(&injected, words);
	injected_await_held(&injected);
	/* On a busy machine the kernel may have ended the sequence, for another to begin, by the time the thread stops. */
	while (injected_map(&injected, 1) != -EAGAIN)
		assert_true(--tries);
	injected.page->release = 1;
	injected_check(&injected);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	injected_cycle(&injected);
	injected_release(&injected);
}

/* A thread of the kernel's would end its request if it was stopped. */
static void test_injection_io_uring(void **state)
{
	static const char *const words[] = {"1", "rings", "calls", NULL};
	struct injected injected;

	(void)state;
	injected_start(&injected, words);
	injected_await_held(&injected);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	assert_int_equal(injected_patch(&injected, INJECTED_TRIES), 0);
	assert_int_equal(injected_undo(&injected, INJECTED_TRIES), 0);
	injected.page->release = 1;
	injected_cycle(&injected);
	injected_release(&injected);
}

/* All that is asked of the first thread, as descriptors, is not to be had; and what is there can be taken out. */
static void test_injection_first_thread_gone(void **state)
{
	static const char *const words[] = {"3", "leaves", "calls", NULL};
	struct injected injected;
	u64 address;

	(void)state;
	injected_start(&injected, words);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	assert_int_equal(injected_patch(&injected, INJECTED_TRIES), 0);
	injected.page->release = 1;
	injected_await_held(&injected);
	while (!procfs_has_ended(injected.target.pid))
		usleep(1000);
	injected_check(&injected);
	assert_int_equal(injected_undo(&injected, INJECTED_TRIES), 0);
	assert_int_equal(code_changes(injected.target.pid, "target_patient"), 0);
	injected_cycle(&injected);
	address = injected.address;
	assert_int_equal(injected_map(&injected, 2), -EOWNERDEAD);
	injected.address = address;
	injected_check(&injected);
	injected_release(&injected);
}

/* The same program at the same addresses, without the code that the jumps lead to. */
static void test_injection_executed_again(void **state)
{
	static const char *const words[] = {"1", "again", "calls", NULL};
	struct injected injected;

	(void)state;
	injected_start(&injected, words);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	injected.page->release = 1;
	injected_await_held(&injected);
	injected_check(&injected);
	assert_int_equal(injected_patch(&injected, INJECTED_TRIES), -ENOEXEC);
	assert_int_equal(code_changes(injected.target.pid, "target_patient"), 0);
	injected_check(&injected);
	injected_release(&injected);
}

static void test_injection_stopped(void **state)
{
	struct injected injected;

	(void)state;
	injected_start(&injected, injected_kinds[1]);
	kill(injected.target.pid, SIGSTOP);
	child_await_state(injected.target.pid, 'T');
	assert_int_equal(injected_map(&injected, 2), -EBUSY);
	assert_not_traced(&injected);
	child_await_state(injected.target.pid, 'T');
	kill(injected.target.pid, SIGCONT);
	injected_check(&injected);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	injected_cycle(&injected);
	injected_release(&injected);
}

/* A signal that comes while heaptap has the target in its hands, at each point. */
static pid_t disturbed;
static int disturbing_signal;
static unsigned int passed, disturbed_at;

static void disturb(void)
{
	if (++passed == disturbed_at)
		kill(disturbed, disturbing_signal);
}

static void test_injection_stopped_meanwhile(void **state)
{
	struct injected injected;

	(void)state;
	injected_start(&injected, injected_kinds[3]);
	disturbed = injected.target.pid;
	disturbing_signal = SIGSTOP;
	passed = 1;
	for (disturbed_at = 1; disturbed_at <= passed; disturbed_at++) {
		int err;

		passed = 0;
		interruption_hook = disturb;
		err = injected_map(&injected, 1);
		if (!err)
			err = injected_patch(&injected, 1);
		interruption_hook = NULL;
		if (passed >= disturbed_at)
			child_await_state(disturbed, 'T');
		kill(disturbed, SIGCONT);
		assert_true(!err || injection_may_pass(err));
		assert_not_traced(&injected);
		if (injected.patch.address)
			assert_int_equal(injected_undo(&injected, INJECTED_TRIES), 0);
		injected_check(&injected);
	}
	injected_release(&injected);
}

static void test_injection_debugged(void **state)
{
	struct injected injected;

	(void)state;
	injected_start(&injected, injected_kinds[1]);
	assert_int_equal(ptrace(PTRACE_SEIZE, injected.target.pid, NULL, NULL), 0);
	assert_int_equal(injected_map(&injected, 2), -EPERM);
	assert_int_equal(procfs_tracer(injected.target.pid), getpid());
	injected_check(&injected);
	injected_release(&injected);
}

static void assert_forbidden(const char *const words[])
{
	struct injected injected;

	injected_start(&injected, words);
	injected_await_held(&injected);
	assert_int_equal(injected_map(&injected, 2), -EACCES);
	injected_check(&injected);
	injected_release(&injected);
}

static void assert_allowed(const char *const words[])
{
	struct injected injected;

	injected_start(&injected, words);
	injected_await_held(&injected);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	injected_cycle(&injected);
	injected_release(&injected);
}

static void test_injection_seccomp(void **state)
{
	static const char *const words[] = {"1", "guarded", "calls", NULL};

	(void)state;
	assert_forbidden(words);
}

/* Linux 6.4. */
static bool kernel_tells_of_dispatch(void)
{
	unsigned int major, minor;
	struct utsname name;

	assert_int_equal(uname(&name), 0);
	assert_int_equal(sscanf(name.release, "%u.%u", &major, &minor), 2);
	return major > 6 || (major == 6 && minor >= 4);
}

static void test_injection_dispatched_calls(void **state)
{
	static const char *const words[] = {"1", "dispatched", "calls", NULL};

	(void)state;
	if (kernel_tells_of_dispatch())
		assert_forbidden(words);
	else
		assert_allowed(words);
}

static void test_injection_seccomp_that_allows(void **state)
{
	static const char *const words[] = {"1", "sandboxed", "calls", NULL};

	(void)state;
	assert_allowed(words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_injection_vfork),
		cmocka_unit_test(test_injection_shared_memory),
		cmocka_unit_test(test_injection_child_in_shared_memory),
		cmocka_unit_test(test_injection_in_a_signal_handler),
		cmocka_unit_test(test_injection_beside_a_signal_handler),
		cmocka_unit_test(test_injection_restartable),
		cmocka_unit_test(test_injection_io_uring),
		cmocka_unit_test(test_injection_first_thread_gone),
		cmocka_unit_test(test_injection_executed_again),
		cmocka_unit_test(test_injection_stopped),
		cmocka_unit_test(test_injection_stopped_meanwhile),
		cmocka_unit_test(test_injection_debugged),
		cmocka_unit_test(test_injection_seccomp),
		cmocka_unit_test(test_injection_dispatched_calls),
		cmocka_unit_test(test_injection_seccomp_that_allows),
	};

	return cmocka_run_group_tests_name("injection_refused", tests, NULL, NULL);
}
