/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recorder.c: which image a mapping belongs to, when the side-band knows of an exec or a fork before the ring does. */
#include "recorder_event.h"

static void map(u32 pid, u64 start, u64 from_ns, const char *path)
{
	struct mapping mapping = {.start = start, .end = start + 0x1000, .from_ns = from_ns, .path = (char *)path};

	assert_int_equal(recorder_map(recorder, pid, &mapping), 0);
}

static const char *mapped_at(const struct image *image, u64 ip, u64 time_ns)
{
	const struct mapping *mapping = address_map_find(image->mappings, ip, time_ns);

	return mapping ? mapping->path : "";
}

/* --- execs --- */

static void test_recorder_mappings_before_exec_event_belong_to_the_next_image(void **state)
{
	struct image *one = begin(1, PID), *two;

	(void)state;
	map(PID, 0x1000, 11, "/bin/one");
	assert_int_equal(recorder_comm(recorder, PID, "two", true, 50), 0);
	map(PID, 0x1000, 51, "/bin/two");
	assert_string_equal(mapped_at(one, 0x1234, 100), "/bin/one");
	send_process(EVENT_EXEC, 1, 2, 60, "two");
	two = recorder_find(recorder, 2);
	assert_string_equal(mapped_at(two, 0x1234, 100), "/bin/two");
	map(PID, 0x9000, 70, "/lib/late");
	assert_string_equal(mapped_at(two, 0x9234, 100), "/lib/late");
	assert_string_equal(mapped_at(one, 0x9234, 100), "");
	assert_string_equal(mapped_at(one, 0x1234, 100), "/bin/one");
}

static void test_recorder_mappings_of_command_before_its_first_image_are_kept(void **state)
{
	(void)state;
	assert_int_equal(recorder_comm(recorder, PID, "first", true, 50), 0);
	map(PID, 0x1000, 51, "/bin/first");
	send_process(EVENT_EXEC, 0, 1, 60, "first");
	assert_string_equal(mapped_at(recorder_find(recorder, 1), 0x1234, 100), "/bin/first");
}

/* An image that runs on execs /bin/two, and from there /bin/three. */
static void announce_two_execs(void)
{
	begin(1, PID);
	recorder_comm(recorder, PID, "two", true, 50);
	map(PID, 0x1000, 51, "/bin/two");
	recorder_comm(recorder, PID, "three", true, 70);
	map(PID, 0x1000, 71, "/bin/three");
}

static void test_recorder_two_execs_between_two_looks_keep_their_own_mappings(void **state)
{
	struct image *two, *three;

	(void)state;
	announce_two_execs();
	send_process(EVENT_EXEC, 1, 2, 60, "two");
	send_process(EVENT_EXEC, 2, 3, 80, "three");
	two = recorder_find(recorder, 2);
	three = recorder_find(recorder, 3);
	assert_string_equal(mapped_at(two, 0x1234, 100), "/bin/two");
	assert_string_equal(mapped_at(three, 0x1234, 100), "/bin/three");
}

static void test_recorder_exec_announced_but_of_another_pid_is_not_taken(void **state)
{
	(void)state;
	recorder_comm(recorder, PID + 1, "other", true, 50);
	map(PID + 1, 0x1000, 51, "/bin/other");
	send_process(EVENT_EXEC, 0, 1, 60, "first");
	assert_string_equal(mapped_at(recorder_find(recorder, 1), 0x1234, 100), "");
}

/* Execs whose events were lost: the image that comes at last gets the newest mappings. */
static void test_recorder_exec_events_lost_the_newest_announcement_counts(void **state)
{
	(void)state;
	announce_two_execs();
	send_process(EVENT_EXEC, 2, 3, 80, "three");
	assert_string_equal(mapped_at(recorder_find(recorder, 3), 0x1234, 100), "/bin/three");
}

static void test_recorder_map_and_comm_of_unknown_pid_are_ignored(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	map(PID + 1, 0x1000, 11, "/bin/x");
	assert_int_equal(recorder_comm(recorder, PID + 1, "x", false, 11), 0);
	assert_string_equal(image->comm, "");
	assert_int_equal(address_map_count(image->mappings), 0);
}

/* --- forks --- */

static void test_recorder_fork_gives_the_child_what_its_parent_had_mapped(void **state)
{
	struct image *child;

	(void)state;
	begin(1, PID + 1);
	map(PID + 1, 0x1000, 11, "/bin/parent");
	assert_false(recorder_announced(recorder, PID));
	assert_int_equal(recorder_fork(recorder, PID, PID + 1, 50), 0);
	assert_true(recorder_announced(recorder, PID));
	map(PID + 1, 0x9000, 55, "/lib/parent-alone");
	map(PID, 0x5000, 58, "/lib/child-alone");
	assert_int_equal(send_process(EVENT_FORK, 0, 2, 60, "child"), 0);
	child = recorder_find(recorder, 2);
	assert_non_null(child);
	assert_false(recorder_announced(recorder, PID));
	assert_false(recorder_find(recorder, 1)->ended);
	assert_int_equal(child->pid, PID);
	assert_int_equal(child->start_ns, 60);
	assert_string_equal(child->comm, "child");
	assert_string_equal(mapped_at(child, 0x1234, 100), "/bin/parent");
	assert_string_equal(mapped_at(child, 0x5234, 100), "/lib/child-alone");
	assert_string_equal(mapped_at(child, 0x9234, 100), "");
	assert_string_equal(mapped_at(recorder_find(recorder, 1), 0x5234, 100), "");
}

/* A shell's grandchild: its parent's image has not begun, or never will. */
static void test_recorder_fork_of_an_announced_child_hands_its_mappings_on(void **state)
{
	(void)state;
	begin(1, PID + 1);
	map(PID + 1, 0x1000, 11, "/bin/parent");
	recorder_fork(recorder, PID + 2, PID + 1, 50);
	assert_int_equal(recorder_fork(recorder, PID, PID + 2, 52), 0);
	assert_int_equal(send_process(EVENT_FORK, 0, 2, 60, "child"), 0);
	assert_string_equal(mapped_at(recorder_find(recorder, 2), 0x1234, 100), "/bin/parent");
	assert_true(recorder_announced(recorder, PID + 2));
}

static void test_recorder_fork_of_an_unknown_or_ended_parent_is_not_kept(void **state)
{
	(void)state;
	assert_int_equal(recorder_fork(recorder, PID, PID + 1, 50), 0);
	assert_false(recorder_announced(recorder, PID));
	recorder_end(recorder, begin(1, PID + 1), 40);
	assert_int_equal(recorder_fork(recorder, PID, PID + 1, 50), 0);
	assert_false(recorder_announced(recorder, PID));
}

static void test_recorder_fork_then_exec_keeps_what_the_exec_mapped(void **state)
{
	(void)state;
	begin(1, PID + 1);
	map(PID + 1, 0x1000, 11, "/bin/parent");
	recorder_fork(recorder, PID, PID + 1, 50);
	recorder_comm(recorder, PID, "program", true, 55);
	map(PID, 0x5000, 56, "/bin/program");
	assert_int_equal(send_process(EVENT_EXEC, 0, 2, 60, "program"), 0);
	assert_string_equal(mapped_at(recorder_find(recorder, 2), 0x5234, 100), "/bin/program");
	assert_string_equal(mapped_at(recorder_find(recorder, 2), 0x1234, 100), "");
	assert_false(recorder_announced(recorder, PID));
}

/* Whatever time it was said to be at; a sanitizer tells whether something is left. */
static void test_recorder_frees_all_that_was_announced(void **state)
{
	(void)state;
	assert_int_equal(recorder_comm(recorder, PID, "program", true, UINT64_MAX), 0);
	assert_int_equal(recorder_comm(recorder, PID, "program", true, 0), 0);
}

static void test_recorder_expire_forgets_what_was_announced_before(void **state)
{
	(void)state;
	begin(1, PID + 1);
	recorder_comm(recorder, PID + 2, "early", true, 49);
	recorder_fork(recorder, PID, PID + 1, 50);
	recorder_expire(recorder, 50);
	assert_false(recorder_announced(recorder, PID + 2));
	assert_true(recorder_announced(recorder, PID));
	recorder_expire(recorder, 51);
	assert_false(recorder_announced(recorder, PID));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_recorder_mappings_before_exec_event_belong_to_the_next_image),
		TEST(test_recorder_mappings_of_command_before_its_first_image_are_kept),
		TEST(test_recorder_two_execs_between_two_looks_keep_their_own_mappings),
		TEST(test_recorder_exec_announced_but_of_another_pid_is_not_taken),
		TEST(test_recorder_exec_events_lost_the_newest_announcement_counts),
		TEST(test_recorder_map_and_comm_of_unknown_pid_are_ignored),
		TEST(test_recorder_fork_gives_the_child_what_its_parent_had_mapped),
		TEST(test_recorder_fork_of_an_announced_child_hands_its_mappings_on),
		TEST(test_recorder_fork_of_an_unknown_or_ended_parent_is_not_kept),
		TEST(test_recorder_fork_then_exec_keeps_what_the_exec_mapped),
		TEST(test_recorder_expire_forgets_what_was_announced_before),
		TEST(test_recorder_frees_all_that_was_announced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
