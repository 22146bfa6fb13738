/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filter.bpf.h: a process's number in heaptap's PID namespace, and whether it is traced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "bpf/filter.bpf.h"

static struct pid_namespace spaces[41];
static struct pid pid;
static struct signal_struct process_signal;
static struct task_struct task;

/* A process in the namespace of depth `level`, numbered 1000 + depth in each above it; namespace n is numbered 5000 +
 * n. */
static void in_namespace(u32 level)
{
	for (u32 i = 0; i < 40; i++) {
		spaces[i].ns.inum = 5000 + i;
		pid.numbers[i] = (struct upid){.nr = (int)(1000 + i), .ns = &spaces[i]};
	}
	pid.level = level;
	process_signal.pids[PIDTYPE_TGID] = &pid;
	task.signal = &process_signal;
	stub.task = &task;
	stub.pid_tgid = (u64)1000 << 32 | 1001;
}

static int setup(void **state)
{
	(void)state;
	stub_reset(4096);
	config = (struct config){.sample_bytes = 1, .tally_mask = SCOPES_MIN - 1};
	in_namespace(2);
	return 0;
}

static void test_filter_pid_initial_namespace_is_the_kernels_number(void **state)
{
	(void)state;
	stub.task = NULL;
	assert_int_equal(filter_pid(), 1000);
}

static void test_filter_pid_every_level_of_the_process_is_found(void **state)
{
	(void)state;
	for (u32 level = 0; level <= PIDNS_DEPTH_MAX; level++) {
		in_namespace(PIDNS_DEPTH_MAX);
		config.pidns_inum = 5000 + level;
		assert_int_equal(filter_pid(), 1000 + level);
	}
}

static void test_filter_pid_namespace_below_the_process_has_no_number(void **state)
{
	(void)state;
	config.pidns_inum = 5003;
	assert_int_equal(filter_pid(), 0);
}

static void test_filter_pid_absurd_level_is_cut(void **state)
{
	(void)state;
	pid.level = 0xffffffff;
	config.pidns_inum = 5000 + PIDNS_DEPTH_MAX + 1;
	assert_int_equal(filter_pid(), 0);
}

static void test_filter_scope_traced_process_has_its_scope(void **state)
{
	u32 pid_number = 1000, scope = 17, found = 0;

	(void)state;
	bpf_map_update_elem(&scope_by_pid, &pid_number, &scope, BPF_ANY);
	assert_ptr_equal(filter_scope(&found), bpf_map_lookup_elem(&scopes, &scope));
	assert_int_equal(found, 17);
	pid_number = 1001;
	config.pidns_inum = 5001;
	assert_null(filter_scope(&found));
	bpf_map_update_elem(&scope_by_pid, &pid_number, &scope, BPF_ANY);
	assert_non_null(filter_scope(&found));
}

static void test_filter_scope_zero_is_a_scope(void **state)
{
	u32 pid_number = 1000, scope = 0, found = 1;

	(void)state;
	assert_null(filter_scope(&found));
	bpf_map_update_elem(&scope_by_pid, &pid_number, &scope, BPF_ANY);
	assert_non_null(filter_scope(&found));
	assert_int_equal(found, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_filter_pid_initial_namespace_is_the_kernels_number),
		TEST(test_filter_pid_every_level_of_the_process_is_found),
		TEST(test_filter_pid_namespace_below_the_process_has_no_number),
		TEST(test_filter_pid_absurd_level_is_cut),
		TEST(test_filter_scope_traced_process_has_its_scope),
		TEST(test_filter_scope_zero_is_a_scope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
