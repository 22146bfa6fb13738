/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inline/filter_trial, and the sampler itself, under seccomp filters that kill. Each test is a child, which keeps its filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inline/blob/fork_wipe.h"
#include "inline/filter_trial.h"

#include "sampler_process.h"

__attribute__((visibility("hidden"))) u64 original_malloc(u64 size)
{
	return size << 12;
}

__attribute__((visibility("hidden"))) u64 sampled_malloc(u64 size);
PROCESS_ALLOC(malloc, 1, 0, "%rdi");

static bool kernel_drops(void)
{
	void *page = mmap(NULL, SAMPLER_PAGE, PROT_READ, MAP_FIXED_DROPPABLE & ~MAP_FIXED, -1, 0);

	return page != MAP_FAILED && !munmap(page, SAMPLER_PAGE);
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define KILL	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define ALLOW	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void forbid_madvise(void)
{
	struct sock_filter rules[] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ, SYS_madvise, 0, 1), KILL, ALLOW};
	struct sock_fprog program = {sizeof(rules) / sizeof(*rules), rules};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(99);
}

/* And at mmap of memory that may be dropped. */
static void forbid_wiping(void)
{
	struct sock_filter rules[] = {LOAD(nr),	     BPF_JUMP(BPF_JMP | BPF_JEQ, SYS_mmap, 0, 3),
				      LOAD(args[3]), BPF_JUMP(BPF_JMP | BPF_JEQ, MAP_FIXED_DROPPABLE, 0, 1),
				      KILL,	     ALLOW};
	struct sock_fprog program = {sizeof(rules) / sizeof(*rules), rules};

	forbid_madvise();
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(99);
}

static int status_of(void (*child)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		child();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void try(void)
{
	_exit(filter_trial_passed() ? 10 : 11);
}

static void try_without_madvise(void)
{
	forbid_madvise();
	try();
}

static void try_without_wiping(void)
{
	forbid_wiping();
	try();
}

static void test_trial_without_a_filter_passes(void **state)
{
	(void)state;
	assert_int_equal(WEXITSTATUS(status_of(try)), 10);
}

static void test_trial_under_a_filter_that_kills_at_madvise(void **state)
{
	(void)state;
	assert_int_equal(WEXITSTATUS(status_of(try_without_madvise)), kernel_drops() ? 10 : 11);
}

static void test_trial_under_a_filter_that_kills_at_both_fails(void **state)
{
	(void)state;
	assert_int_equal(WEXITSTATUS(status_of(try_without_wiping)), 11);
}

/* --- the sampler --- */

static void on_trap(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
}

/* Its first call is the slow one. */
static void sample_without_madvise(void)
{
	process_on_trap(on_trap);
	forbid_madvise();
	_exit(sampled_malloc(5) == 5 << 12 ? 10 : 11);
}

/* As the trial says. */
static void test_sampler_under_a_filter_that_kills_at_madvise(void **state)
{
	int status;

	(void)state;
	process_begin(1, 3);
	status = status_of(sample_without_madvise);
	process_end();
	if (kernel_drops())
		assert_int_equal(WEXITSTATUS(status), 10);
	else
		assert_int_equal(WTERMSIG(status), SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trial_without_a_filter_passes),
		cmocka_unit_test(test_trial_under_a_filter_that_kills_at_madvise),
		cmocka_unit_test(test_trial_under_a_filter_that_kills_at_both_fails),
		cmocka_unit_test(test_sampler_under_a_filter_that_kills_at_madvise),
	};

	return cmocka_run_group_tests_name("filter_trial", tests, NULL, NULL);
}
