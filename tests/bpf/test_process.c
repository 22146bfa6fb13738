/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process.bpf.c: of processes that user space names, execs begin images, the last thread's exit ends the
 * process, forks are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "bpf/process.bpf.c"

#define PID	2000
#define SCOPE	4
#define PROCESS 9

#include "told.h"

static struct signal_struct process_signal;
static struct task_struct leader, thread, parent = {.pid = 77, .tgid = 77};

static int setup(void **state)
{
	u32 pid = PID, number = SCOPE;
	struct scope scope = {.process = PROCESS, .pid = PID, .told = 1};

	(void)state;
	stub_reset(1 << 16);
	config = (struct config){.sample_bytes = 1, .ring_half = 1 << 15, .tally_mask = SCOPES_MIN - 1};
	population = POPULATION_LISTED;
	population_refused = 0;
	for (u32 process = PROCESS + 1; process <= PROCESS + 2; process++)
		bpf_map_push_elem(&free_processes, &process, BPF_ANY);
	process_signal = (struct signal_struct){.live = {.counter = 1}, .sum_sched_runtime = 100, .maxrss = 3};
	leader = (struct task_struct){.se = {.sum_exec_runtime = 7},
				      .pid = PID,
				      .real_parent = &parent,
				      .tgid = PID,
				      .group_leader = &leader,
				      .signal = &process_signal,
				      .comm = "leader"};
	thread = (struct task_struct){.se = {.sum_exec_runtime = 20},
				      .pid = PID + 1,
				      .tgid = PID,
				      .real_parent = &leader,
				      .group_leader = &leader,
				      .signal = &process_signal,
				      .comm = "worker"};
	stub.pid_tgid = (u64)PID << 32 | PID;
	bpf_map_update_elem(&scopes, &number, &scope, BPF_ANY);
	bpf_map_update_elem(&scope_by_pid, &pid, &number, BPF_ANY);
	return 0;
}

static struct scope *scope_row(void)
{
	u32 number = SCOPE;

	return bpf_map_lookup_elem(&scopes, &number);
}

static const struct event_process *next_event(enum event_kind kind)
{
	size_t size = 0;
	const struct event_process *event = stub_ring_next(&size);

	assert_non_null(event);
	assert_int_equal(size, sizeof(*event));
	assert_int_equal(event->header.kind, kind);
	assert_int_equal(event->header.flags, 0);
	assert_int_equal(event->header.process, 9);
	assert_int_equal(event->pid, PID);
	assert_int_equal(event->scope, SCOPE);
	assert_string_equal(event->comm, "leader");
	return event;
}

static void test_image_exec_begins_an_image_with_a_new_number(void **state)
{
	const struct event_process *event;

	(void)state;
	process_exec(&leader, PID);
	event = next_event(EVENT_EXEC);
	assert_int_equal(event->next, 10);
	assert_int_equal(event->parent, 77);
	assert_int_equal(event->tid, PID);
	assert_int_equal(event->cpu_ns, 107);
	assert_int_equal(event->max_rss_bytes, 0);
	assert_int_equal(scope_row()->process, 10);
	assert_no_event();
}

static void test_image_exec_by_another_thread_names_it(void **state)
{
	(void)state;
	process_exec(&leader, PID + 1);
	assert_int_equal(next_event(EVENT_EXEC)->tid, PID + 1);
}

static void test_image_exec_twice_never_reuses_a_number(void **state)
{
	(void)state;
	process_exec(&leader, PID);
	assert_int_equal(next_event(EVENT_EXEC)->next, 10);
	scope_row()->process = 9;
	process_exec(&leader, PID);
	assert_int_equal(next_event(EVENT_EXEC)->next, 11);
}

static void test_image_exec_untraced_does_nothing(void **state)
{
	(void)state;
	stub.pid_tgid = (u64)(PID + 5) << 32 | (PID + 5);
	process_exec(&leader, PID);
	assert_no_event();
	assert_int_equal(scope_row()->process, 9);
	assert_int_equal(stub_queued(&free_processes), 2);
}

static void test_image_exec_ring_full_counts_with_the_new_image_which_begins_all_the_same(void **state)
{
	u32 row = 10;

	(void)state;
	stub.ring_capacity = 16;
	process_exec(&leader, PID);
	assert_int_equal(scope_row()->process, 10);
	assert_int_equal(((struct tally *)bpf_map_lookup_elem(&tallies, &row))->count[COUNTER_EVENT_LOST], 1);
}

static void test_image_exit_last_thread_ends_the_process(void **state)
{
	const struct event_process *event;

	(void)state;
	process_signal.live.counter = 0;
	process_exit(&thread);
	event = next_event(EVENT_EXIT);
	/* The dead, this thread, and the leader, which left before it. */
	assert_int_equal(event->cpu_ns, 127);
	assert_int_equal(event->max_rss_bytes, 3 * 4096);
	assert_int_equal(event->next, 0);
	assert_int_equal(event->parent, 0);
	assert_int_equal(scope_row()->process, 0);
	assert_int_equal(stub_count(&scope_by_pid), 0);
}

/* The status is the whole process's: what one thread gave to exit_group, or the signal. */
static void test_image_exit_tells_its_status_and_the_oom_killer(void **state)
{
	const struct event_process *event;
	struct mm_struct memory;
	size_t size;

	(void)state;
	process_signal.live.counter = 0;
	process_signal.group_exit_code = 3 << 8;
	process_exit(&thread);
	assert_int_equal(next_event(EVENT_EXIT)->wait_status, 3 << 8);
	assert_int_equal(setup(NULL), 0);
	process_signal.live.counter = 0;
	process_signal.group_exit_code = 9;
	process_signal.oom_mm = &memory;
	process_exit(&thread);
	event = stub_ring_next(&size);
	assert_int_equal(event->header.flags, EVENT_OOM_VICTIM);
	assert_int_equal(event->wait_status, 9);
}

/* The kernel says of the victim how much is resident before it takes that away; older kernels do not say who it is. */
static void test_image_exit_tells_what_the_oom_killer_found(void **state)
{
	struct mm_struct memory = {.rss_stat = {{.count = 10}, {.count = 500}, {.count = 7000}, {.count = 2}}};

	for (int newer = 0; newer < 2; newer++) {
		assert_int_equal(setup(state), 0);
		stub.newer = newer;
		leader.mm = &memory;
		process_victim(&leader);
		process_victim(&parent);
		process_signal.live.counter = 0;
		process_exit(&thread);
		assert_int_equal(next_event(EVENT_EXIT)->max_rss_bytes, (newer ? 512 : 3) * 4096);
	}
}

static void test_image_exit_both_of_two_last_threads_end_it_once(void **state)
{
	(void)state;
	process_signal.live.counter = 0;
	process_exit(&leader);
	process_exit(&thread);
	next_event(EVENT_EXIT);
	assert_no_event();
}

static void test_image_exit_leader_before_others_is_told_and_ends_nothing(void **state)
{
	(void)state;
	process_exit(&leader);
	next_event(EVENT_LEADER_EXIT);
	assert_int_equal(scope_row()->process, 9);
	assert_int_equal(stub_count(&scope_by_pid), 1);
}

/* exit_group, or a signal that ends them all: the kernel has marked the process before its first thread goes. */
static void test_image_exit_leader_with_all_others_is_not_told(void **state)
{
	(void)state;
	process_signal.flags = SIGNAL_GROUP_EXIT;
	process_exit(&leader);
	assert_no_event();
	process_signal.live.counter = 0;
	process_exit(&thread);
	next_event(EVENT_EXIT);
}

/* Links that serve everybody go on. */
static void test_image_exit_leader_under_unfiltered_links_is_not_told(void **state)
{
	(void)state;
	scope_row()->wide = 1;
	process_exit(&leader);
	assert_no_event();
	assert_int_equal(scope_row()->process, 9);
}

static void test_image_exec_without_a_number_left_ends_the_image_and_is_counted(void **state)
{
	u32 process;

	(void)state;
	while (!bpf_map_pop_elem(&free_processes, &process))
		;
	process_exec(&leader, PID);
	assert_int_equal(next_event(EVENT_EXEC)->next, 0);
	assert_int_equal(scope_row()->process, 0);
	assert_int_equal(population_refused, 1);
}

static void test_image_exit_any_other_thread_is_nothing(void **state)
{
	(void)state;
	process_exit(&thread);
	assert_no_event();
	assert_int_equal(scope_row()->process, 9);
}

static u64 children(void)
{
	u32 row = 9;

	return ((struct tally *)bpf_map_lookup_elem(&tallies, &row))->count[COUNTER_CHILDREN];
}

static void test_image_fork_child_process_is_counted_a_thread_is_not(void **state)
{
	struct task_struct child = {.pid = PID + 9, .tgid = PID + 9, .real_parent = &leader};

	(void)state;
	process_fork(&leader, &child);
	assert_int_equal(children(), 1);
	process_fork(&leader, &thread);
	assert_int_equal(children(), 1);
}

static void test_image_fork_before_the_first_image_is_not_counted(void **state)
{
	struct task_struct child = {.pid = PID + 9, .tgid = PID + 9, .real_parent = &leader};
	u32 row = 0;

	(void)state;
	scope_row()->process = 0;
	process_fork(&leader, &child);
	assert_int_equal(((struct tally *)bpf_map_lookup_elem(&tallies, &row))->count[COUNTER_CHILDREN], 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_image_exec_begins_an_image_with_a_new_number),
		TEST(test_image_exec_by_another_thread_names_it),
		TEST(test_image_exec_twice_never_reuses_a_number),
		TEST(test_image_exec_untraced_does_nothing),
		TEST(test_image_exec_ring_full_counts_with_the_new_image_which_begins_all_the_same),
		TEST(test_image_exit_last_thread_ends_the_process),
		TEST(test_image_exit_tells_its_status_and_the_oom_killer),
		TEST(test_image_exit_tells_what_the_oom_killer_found),
		TEST(test_image_exit_both_of_two_last_threads_end_it_once),
		TEST(test_image_exit_leader_before_others_is_told_and_ends_nothing),
		TEST(test_image_exit_leader_with_all_others_is_not_told),
		TEST(test_image_exit_leader_under_unfiltered_links_is_not_told),
		TEST(test_image_exec_without_a_number_left_ends_the_image_and_is_counted),
		TEST(test_image_exit_any_other_thread_is_nothing),
		TEST(test_image_fork_child_process_is_counted_a_thread_is_not),
		TEST(test_image_fork_before_the_first_image_is_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
