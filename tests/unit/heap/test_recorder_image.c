/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recorder.c: images that begin, follow one another, end and are taken. */
#include <errno.h>

#include "recorder_event.h"

/* --- images --- */

static void test_recorder_exec_ends_one_image_and_begins_the_next(void **state)
{
	struct image *one = begin(1, PID), *two;

	(void)state;
	send_alloc(1, 1, 100, 7, 0);
	assert_int_equal(send_process(EVENT_EXEC, 1, 2, 60, "second"), 0);
	two = recorder_find(recorder, 2);
	assert_non_null(two);
	assert_true(one->ended);
	assert_int_equal(one->end_ns, 60);
	assert_int_equal(one->cpu_end_ns, 60000);
	assert_int_equal(two->pid, PID);
	assert_int_equal(two->ordinal, 2);
	assert_int_equal(two->scope, 3);
	assert_int_equal(two->start_ns, 60);
	assert_int_equal(two->cpu_start_ns, 60000);
	assert_string_equal(two->comm, "second");
	assert_false(two->ended);
	assert_int_equal(two->heap.alloc_count, 0);
	assert_ptr_equal(recorder_current(recorder, PID), two);
	image_balance(one);
	assert_int_equal(one->ledger[COUNTER_ENDED], 1);
}

static void test_recorder_exec_of_command_begins_its_first_image(void **state)
{
	(void)state;
	assert_null(recorder_current(recorder, PID));
	assert_int_equal(send_process(EVENT_EXEC, 0, 1, 60, "first"), 0);
	assert_int_equal(recorder_current(recorder, PID)->ordinal, 1);
}

static void test_recorder_exit_ends_the_image_once(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	assert_int_equal(send_process(EVENT_EXIT, 1, 0, 60, "name"), 0);
	assert_true(image->ended);
	assert_string_equal(image->comm, "name");
	assert_int_equal(image->rss_peak_bytes, 4096);
	assert_true(image->exit.known);
	assert_int_equal(image->exit.status, 3);
	assert_int_equal(send_process(EVENT_EXIT, 1, 0, 90, "other"), 0);
	assert_int_equal(image->end_ns, 60);
	assert_string_equal(image->comm, "name");
}

/* The events of these tests give 4096 bytes as the peak: less than was seen, as after the OOM killer. */
static void test_recorder_peak_of_memory_is_never_below_what_was_seen(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	image_begin_rss(image, 8192);
	image_see_rss(image, 0);
	assert_int_equal(image->rss_peak_bytes, 0);
	image_see_rss(image, 20480);
	image_see_rss(image, 12288);
	image_see_rss(image, 0);
	assert_int_equal(send_process(EVENT_EXIT, 1, 0, 60, "name"), 0);
	assert_int_equal(image->rss_start_bytes, 8192);
	assert_int_equal(image->rss_end_bytes, 12288);
	assert_int_equal(image->rss_peak_bytes, 20480);
}

/* Seen when it began, and not again. */
static void test_recorder_peak_is_not_below_the_beginning_nor_made_of_it(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	image_begin_rss(image, 8192);
	assert_int_equal(send_process(EVENT_EXEC, 1, 2, 60, "next"), 0);
	assert_int_equal(image->rss_peak_bytes, 0);
	image = recorder_current(recorder, PID);
	image_begin_rss(image, 8192);
	assert_int_equal(send_process(EVENT_EXIT, 2, 0, 90, "next"), 0);
	assert_int_equal(image->rss_peak_bytes, 8192);
}

static void test_recorder_leader_exit_ends_nothing(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	assert_int_equal(send_process(EVENT_LEADER_EXIT, 1, 0, 60, "name"), 0);
	assert_false(image->ended);
	assert_int_equal(send_alloc(1, 1, 100, 7, 0), 0);
	assert_int_equal(image->heap.inuse_count, 1);
}

static void test_recorder_pid_used_again_begins_another_image(void **state)
{
	(void)state;
	begin(1, PID);
	send_process(EVENT_EXIT, 1, 0, 60, "name");
	assert_int_equal(begin(2, PID)->ordinal, 2);
	assert_int_equal(begin(3, PID + 1)->ordinal, 1);
}

static int collect(struct image *image, void *arg)
{
	u32 *numbers = arg;

	numbers[++numbers[0]] = image->number;
	return numbers[0] == 3 ? 42 : 0;
}

static void test_recorder_for_each_goes_in_order_and_stops_when_told(void **state)
{
	u32 numbers[8] = {0};

	(void)state;
	begin(1, PID);
	begin(5, PID + 1);
	assert_int_equal(recorder_for_each(recorder, collect, numbers), 0);
	assert_int_equal(numbers[0], 2);
	assert_int_equal(numbers[1], 1);
	assert_int_equal(numbers[2], 5);
	begin(6, PID);
	begin(7, PID);
	numbers[0] = 0;
	assert_int_equal(recorder_for_each(recorder, collect, numbers), 42);
	assert_int_equal(numbers[0], 3);
}

/* --- images that are taken --- */

static void test_recorder_take_ended_hands_out_in_the_order_of_their_ends(void **state)
{
	struct image *one = begin(1, PID), *two = begin(2, PID + 1);

	(void)state;
	begin(3, PID + 2);
	assert_null(recorder_take_ended(recorder));
	recorder_end(recorder, two, 50);
	recorder_end(recorder, one, 60);
	recorder_end(recorder, two, 70);
	assert_int_equal(two->end_ns, 50);
	assert_int_equal(recorder_ended_count(recorder), 2);
	assert_ptr_equal(recorder_take_ended(recorder), two);
	assert_int_equal(recorder_ended_count(recorder), 1);
	assert_ptr_equal(recorder_take_ended(recorder), one);
	assert_null(recorder_take_ended(recorder));
	assert_int_equal(recorder_ended_count(recorder), 0);
	image_free(one);
	image_free(two);
	assert_null(recorder_find(recorder, 1));
	assert_null(recorder_current(recorder, PID));
	assert_non_null(recorder_find(recorder, 3));
	assert_int_equal(send_alloc(1, 1, 100, 7, 0), -ENOENT);
}

/* A raw stack on its way would find no image to belong to. */
static void test_recorder_take_ended_passes_over_one_whose_stacks_wait(void **state)
{
	struct image *one = begin(1, PID), *two = begin(2, PID + 1);

	(void)state;
	one->raw_waiting = 1;
	recorder_end(recorder, one, 50);
	recorder_end(recorder, two, 60);
	assert_ptr_equal(recorder_take_ended(recorder), two);
	assert_null(recorder_take_ended(recorder));
	recorder_end(recorder, begin(3, PID + 2), 70);
	one->raw_waiting = 0;
	assert_ptr_equal(recorder_take_ended(recorder), one);
	image_free(one);
	image_free(two);
}

static void test_recorder_pid_is_numbered_on_after_its_images_are_taken(void **state)
{
	struct image *taken;

	(void)state;
	for (u32 image = 1; image <= 3; image++) {
		struct image *process = begin(image, PID);

		assert_int_equal(process->ordinal, image);
		recorder_end(recorder, process, 50);
		taken = recorder_take_ended(recorder);
		assert_ptr_equal(taken, process);
		image_free(taken);
	}
	assert_int_equal(begin(4, PID + 1)->ordinal, 1);
}

/* By exec the older image is taken while the newer lives: that is still the pid's. */
static void test_recorder_take_ended_leaves_the_pids_newer_image_its_place(void **state)
{
	struct image *taken;

	(void)state;
	begin(1, PID);
	assert_int_equal(send_process(EVENT_EXEC, 1, 2, 60, "second"), 0);
	taken = recorder_take_ended(recorder);
	assert_int_equal(taken->number, 1);
	image_free(taken);
	assert_int_equal(recorder_current(recorder, PID)->number, 2);
}

static void test_recorder_free_of_null_is_nothing(void **state)
{
	(void)state;
	recorder_free(NULL);
}

/* --- renamed, coming and going --- */

static void test_recorder_comm_renames_while_the_image_lasts(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	assert_int_equal(recorder_comm(recorder, PID, "renamed", false, 11), 0);
	assert_string_equal(image->comm, "renamed");
	send_process(EVENT_EXIT, 1, 0, 60, "last");
	assert_int_equal(recorder_comm(recorder, PID, "late", false, 70), 0);
	assert_string_equal(image->comm, "last");
}

/* The side-band is read first: the child has its name before the event of its fork says that of its parent. */
static void test_recorder_comm_before_the_image_begins_is_its_name(void **state)
{
	struct image *parent = begin(1, PID + 1);

	(void)state;
	image_set_comm(parent, "server");
	assert_int_equal(recorder_fork(recorder, PID, PID + 1, 20), 0);
	assert_int_equal(recorder_comm(recorder, PID, "worker", false, 21), 0);
	assert_int_equal(send_process(EVENT_FORK, 1, 2, 20, "server"), 0);
	assert_string_equal(recorder_find(recorder, 2)->comm, "worker");
	assert_string_equal(parent->comm, "server");
}

/* Between the exec and its event, the name is the new program's, not the old one's. */
static void test_recorder_comm_between_exec_and_its_event_is_the_new_images(void **state)
{
	struct image *before = begin(1, PID);

	(void)state;
	image_set_comm(before, "sh");
	assert_int_equal(recorder_comm(recorder, PID, "server", true, 20), 0);
	assert_int_equal(recorder_comm(recorder, PID, "main", false, 21), 0);
	assert_string_equal(before->comm, "sh");
	assert_int_equal(send_process(EVENT_EXEC, 1, 2, 20, "server"), 0);
	assert_string_equal(recorder_find(recorder, 2)->comm, "main");
}

static void test_recorder_enter_begins_an_image_and_leave_ends_it(void **state)
{
	struct image *image;

	(void)state;
	assert_int_equal(send_process(EVENT_ENTER, 0, 1, 60, "here"), 0);
	image = recorder_current(recorder, PID);
	assert_int_equal(image->number, 1);
	assert_string_equal(image->comm, "here");
	assert_int_equal(image->cpu_start_ns, 60000);
	assert_int_equal(send_process(EVENT_LEAVE, 1, 0, 90, "away"), 0);
	assert_true(image->ended);
	assert_int_equal(image->end_ns, 90);
	assert_int_equal(image->cpu_end_ns, 90000);
	assert_string_equal(image->comm, "away");
	assert_int_equal(send_process(EVENT_ENTER, 0, 2, 95, "back"), 0);
	assert_int_equal(recorder_current(recorder, PID)->ordinal, 2);
}

static void test_recorder_exec_into_what_is_not_wanted_ends_the_image_alone(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	assert_int_equal(send_process(EVENT_EXEC, 1, 0, 60, "other"), 0);
	assert_true(image->ended);
	assert_int_equal(image->end_ns, 60);
	assert_ptr_equal(recorder_current(recorder, PID), image);
	assert_ptr_equal(recorder_take_ended(recorder), image);
	image_free(image);
	assert_null(recorder_current(recorder, PID));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_recorder_exec_ends_one_image_and_begins_the_next),
		TEST(test_recorder_exec_of_command_begins_its_first_image),
		TEST(test_recorder_exit_ends_the_image_once),
		TEST(test_recorder_peak_of_memory_is_never_below_what_was_seen),
		TEST(test_recorder_peak_is_not_below_the_beginning_nor_made_of_it),
		TEST(test_recorder_leader_exit_ends_nothing),
		TEST(test_recorder_pid_used_again_begins_another_image),
		TEST(test_recorder_for_each_goes_in_order_and_stops_when_told),
		TEST(test_recorder_take_ended_hands_out_in_the_order_of_their_ends),
		TEST(test_recorder_take_ended_passes_over_one_whose_stacks_wait),
		TEST(test_recorder_pid_is_numbered_on_after_its_images_are_taken),
		TEST(test_recorder_take_ended_leaves_the_pids_newer_image_its_place),
		TEST(test_recorder_free_of_null_is_nothing),
		TEST(test_recorder_comm_before_the_image_begins_is_its_name),
		TEST(test_recorder_comm_between_exec_and_its_event_is_the_new_images),
		TEST(test_recorder_comm_renames_while_the_image_lasts),
		TEST(test_recorder_enter_begins_an_image_and_leave_ends_it),
		TEST(test_recorder_exec_into_what_is_not_wanted_ends_the_image_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
