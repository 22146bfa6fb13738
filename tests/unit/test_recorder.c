/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recorder.c: events and side-band applied to images, in whatever order and shape they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/ledger.h"
#include "../../user/mapping.h"
#include "../../user/recorder.h"

#define PID 500

static struct recorder *recorder;

static int setup(void **state)
{
	struct recorder_options options = {.sample_bytes = 1};

	(void)state;
	recorder = recorder_new(&options);
	return recorder ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	recorder_free(recorder);
	return 0;
}

static struct process *begin(u32 number, u32 pid)
{
	struct process *process = NULL;

	assert_int_equal(recorder_begin(recorder, number, pid, 3, 10 * number, &process), 0);
	assert_non_null(process);
	return process;
}

/* --- events, as the kernel sends them
 * ----------------------------------------------------------------------------------------- */

static int send_alloc(u32 number, u64 object, u64 size, u64 stack, u8 flags)
{
	struct event_alloc event = {
		.header = {.kind = EVENT_ALLOC,
			   .source = SOURCE_UPROBE,
			   .flags = flags,
			   .process = number,
			   .time_ns = 100},
		.object = object,
		.addr = 0x5000 + 16 * object,
		.size = size,
		.interval = 1,
		.stack = stack,
	};

	return recorder_event(recorder, &event.header, sizeof(event));
}

static int send_object(u16 kind, u32 number, u64 object)
{
	struct event_object event = {.header = {.kind = kind, .process = number}, .object = object};

	return recorder_event(recorder, &event.header, sizeof(event));
}

static int send_moved(u16 kind, u32 number, u64 object, u32 tid)
{
	struct event_moved event = {.header = {.kind = kind, .process = number}, .object = object, .tid = tid};

	return recorder_event(recorder, &event.header, sizeof(event));
}

static int send_stack(u32 number, u64 hash, u32 depth, size_t size)
{
	static struct event_stack event;

	event = (struct event_stack){
		.header = {.kind = EVENT_STACK, .process = number, .time_ns = 50}, .stack = hash, .depth = depth};
	for (u32 i = 0; i < STACK_DEPTH_MAX; i++)
		event.ip[i] = 0x400000 + i;
	return recorder_event(recorder, &event.header, size);
}

static size_t stack_size(u32 depth)
{
	return offsetof(struct event_stack, ip) + depth * sizeof(u64);
}

static int send_process(u16 kind, u32 number, u32 next, u64 time_ns, const char *comm)
{
	struct event_process event = {
		.header = {.kind = kind, .process = number, .time_ns = time_ns},
		.pid = PID,
		.tid = PID,
		.next = next,
		.scope = 3,
		.cpu_ns = 1000 * time_ns,
		.max_rss_bytes = kind == EVENT_EXIT ? 4096 : 0,
	};

	memcpy(event.comm, comm, strnlen(comm, sizeof(event.comm)));
	return recorder_event(recorder, &event.header, sizeof(event));
}

static void map(u32 pid, u64 start, u64 from_ns, const char *path)
{
	struct mapping mapping = {.start = start, .end = start + 0x1000, .from_ns = from_ns, .path = (char *)path};

	assert_int_equal(recorder_map(recorder, pid, &mapping), 0);
}

static const char *mapped_at(const struct process *process, u64 ip, u64 time_ns)
{
	const struct mapping *mapping = mapping_table_find(process->mappings, ip, time_ns);

	return mapping ? mapping->path : "";
}

/* --- objects
 * ------------------------------------------------------------------------------------------------------------------ */

static void test_recorder_alloc_and_free_reach_their_process_alone(void **state)
{
	struct process *one = begin(1, PID), *two = begin(2, PID + 1);

	(void)state;
	assert_int_equal(send_alloc(1, 1, 100, 7, 0), 0);
	assert_int_equal(send_alloc(2, 2, 100, 7, 0), 0);
	assert_int_equal(send_object(EVENT_FREE, 2, 1), 0);
	assert_int_equal(one->heap.inuse_count, 1);
	assert_int_equal(two->heap.inuse_count, 1);
	assert_int_equal(send_object(EVENT_FREE, 2, 2), 0);
	assert_int_equal(one->heap.inuse_count, 1);
	assert_int_equal(two->heap.inuse_count, 0);
}

static void test_recorder_alloc_flags_say_what_is_followed(void **state)
{
	struct process *process = begin(1, PID);

	(void)state;
	assert_int_equal(send_alloc(1, 1, 100, 7, EVENT_REFUSED), 0);
	assert_int_equal(send_alloc(1, 2, 100, 7, EVENT_UNFOLLOWED), 0);
	assert_int_equal(send_alloc(1, 3, 100, 0, EVENT_STACKLESS), 0);
	assert_int_equal(send_alloc(1, 4, 100, 0, EVENT_STACKLESS | EVENT_REFUSED), 0);
	assert_int_equal(process->heap.alloc_count, 4);
	assert_int_equal(process->heap.unfollowed_count, 3);
	assert_int_equal(process->heap.inuse_count, 1);
}

static void test_recorder_overwrite_is_a_death(void **state)
{
	struct process *process = begin(1, PID);

	(void)state;
	send_alloc(1, 1, 100, 7, 0);
	assert_int_equal(send_object(EVENT_OVERWRITE, 1, 1), 0);
	assert_int_equal(process->heap.inuse_count, 0);
	assert_int_equal(process->heap.freed_count, 1);
}

static void test_recorder_death_told_twice_or_of_an_unknown_object_is_no_error(void **state)
{
	struct process *process = begin(1, PID);

	(void)state;
	send_alloc(1, 1, 100, 7, 0);
	assert_int_equal(send_object(EVENT_FREE, 1, 1), 0);
	assert_int_equal(send_object(EVENT_FREE, 1, 1), 0);
	assert_int_equal(send_object(EVENT_FREE, 1, 99), 0);
	assert_int_equal(send_moved(EVENT_MOVED, 1, 99, 8), 0);
	assert_int_equal(send_moved(EVENT_REVIVED, 1, 99, 8), 0);
	assert_int_equal(process->heap.freed_count, 1);
}

/* Two threads in realloc at once: each one's failure brings back its own object. */
static void test_recorder_moved_and_revived_are_connected_by_thread(void **state)
{
	struct process *process = begin(1, PID);

	(void)state;
	send_alloc(1, 1, 100, 7, 0);
	send_alloc(1, 2, 200, 7, 0);
	assert_int_equal(send_moved(EVENT_MOVED, 1, 1, 501), 0);
	assert_int_equal(send_moved(EVENT_MOVED, 1, 2, 502), 0);
	assert_int_equal(process->heap.inuse_count, 0);
	assert_int_equal(send_moved(EVENT_REVIVED, 1, 1, 502), 0);
	assert_int_equal(process->heap.inuse_count, 0);
	assert_int_equal(send_moved(EVENT_REVIVED, 1, 2, 502), 0);
	assert_int_equal(process->heap.inuse_count, 1);
	assert_true(process->heap.inuse_bytes == 200);
}

/* --- malformed
 * ----------------------------------------------------------------------------------------------------------------- */

static void test_recorder_event_of_no_kind_is_malformed(void **state)
{
	static const u16 kinds[] = {EVENT_NONE, EVENT_OVERWRITE + 1, 0x100 + EVENT_ALLOC, 0xffff};
	struct event_process event = {.header = {.process = 1}};

	(void)state;
	begin(1, PID);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		event.header.kind = kinds[i];
		assert_int_equal(recorder_event(recorder, &event.header, sizeof(event)), -EBADMSG);
	}
}

/* Copied to the heap at its exact size, so that the sanitizer sees a byte too much. */
static int send_cut(const void *event, size_t size)
{
	struct event *cut = malloc(size ? size : 1);
	int err;

	memcpy(cut, event, size);
	err = recorder_event(recorder, cut, size);
	free(cut);
	return err;
}

static void test_recorder_event_cut_anywhere_is_malformed(void **state)
{
	static const struct {
		u16 kind;
		size_t size;
	} whole[] = {
		{EVENT_STACK, offsetof(struct event_stack, ip)},   {EVENT_ALLOC, sizeof(struct event_alloc)},
		{EVENT_FREE, sizeof(struct event_object)},	   {EVENT_OVERWRITE, sizeof(struct event_object)},
		{EVENT_MOVED, sizeof(struct event_moved)},	   {EVENT_REVIVED, sizeof(struct event_moved)},
		{EVENT_EXEC, sizeof(struct event_process)},	   {EVENT_EXIT, sizeof(struct event_process)},
		{EVENT_LEADER_EXIT, sizeof(struct event_process)},
	};

	(void)state;
	begin(1, PID);
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		struct event_process event = {.header = {.kind = whole[i].kind, .process = 1}};

		for (size_t size = 0; size < whole[i].size; size++)
			assert_int_equal(send_cut(&event, size), -EBADMSG);
	}
	assert_int_equal(recorder_find(recorder, 1)->heap.alloc_count, 0);
	assert_false(recorder_find(recorder, 1)->ended);
}

static void test_recorder_stack_shorter_than_its_depth_is_malformed(void **state)
{
	struct process *process = begin(1, PID);

	(void)state;
	assert_int_equal(send_stack(1, 7, 3, stack_size(3) - 1), -EBADMSG);
	assert_int_equal(send_stack(1, 7, 0, stack_size(0)), -EBADMSG);
	assert_int_equal(send_stack(1, 7, STACK_DEPTH_MAX + 1, sizeof(struct event_stack)), -EBADMSG);
	assert_int_equal(send_stack(1, 7, 0xffffffff, sizeof(struct event_stack)), -EBADMSG);
	assert_int_equal(send_stack(1, 7, 0x20000000, stack_size(0)), -EBADMSG);
	assert_null(stack_table_find(&process->stacks, 7));
}

static void test_recorder_stack_of_every_depth_is_kept(void **state)
{
	struct process *process = begin(1, PID);

	(void)state;
	for (u32 depth = 1; depth <= STACK_DEPTH_MAX; depth++) {
		assert_int_equal(send_stack(1, 1000 + depth, depth, stack_size(depth)), 0);
		assert_int_equal(stack_table_find(&process->stacks, 1000 + depth)->depth, depth);
	}
	assert_int_equal(send_stack(1, 7, 1, sizeof(struct event_stack)), 0);
}

static void test_recorder_event_of_unknown_process_is_refused(void **state)
{
	(void)state;
	assert_int_equal(send_alloc(1, 1, 100, 7, 0), -ENOENT);
	begin(1, PID);
	assert_int_equal(send_alloc(2, 1, 100, 7, 0), -ENOENT);
	assert_int_equal(send_object(EVENT_FREE, 0, 1), -ENOENT);
	assert_int_equal(send_stack(2, 7, 1, stack_size(1)), -ENOENT);
	assert_int_equal(send_process(EVENT_EXIT, 2, 0, 50, "x"), -ENOENT);
	assert_int_equal(send_process(EVENT_LEADER_EXIT, 2, 0, 50, "x"), -ENOENT);
}

/* --- images
 * ----------------------------------------------------------------------------------------------------------------------
 */

static void test_recorder_exec_ends_one_image_and_begins_the_next(void **state)
{
	struct process *one = begin(1, PID), *two;

	(void)state;
	send_alloc(1, 1, 100, 7, 0);
	assert_int_equal(send_process(EVENT_EXEC, 1, 2, 60, "second"), 0);
	two = recorder_find(recorder, 2);
	assert_non_null(two);
	assert_true(one->ended);
	assert_int_equal(one->end_ns, 60);
	assert_int_equal(one->cpu_end_ns, 60000);
	assert_int_equal(two->pid, PID);
	assert_int_equal(two->image, 2);
	assert_int_equal(two->scope, 3);
	assert_int_equal(two->start_ns, 60);
	assert_int_equal(two->cpu_start_ns, 60000);
	assert_string_equal(two->comm, "second");
	assert_false(two->ended);
	assert_int_equal(two->heap.alloc_count, 0);
	assert_ptr_equal(recorder_current(recorder, PID), two);
	process_balance(one);
	assert_int_equal(one->ledger[COUNTER_ENDED], 1);
}

static void test_recorder_exec_of_command_begins_its_first_image(void **state)
{
	(void)state;
	assert_null(recorder_current(recorder, PID));
	assert_int_equal(send_process(EVENT_EXEC, 0, 1, 60, "first"), 0);
	assert_int_equal(recorder_current(recorder, PID)->image, 1);
}

static void test_recorder_exit_ends_the_image_once(void **state)
{
	struct process *process = begin(1, PID);

	(void)state;
	assert_int_equal(send_process(EVENT_EXIT, 1, 0, 60, "name"), 0);
	assert_true(process->ended);
	assert_string_equal(process->comm, "name");
	assert_int_equal(process->rss_peak_bytes, 4096);
	assert_int_equal(send_process(EVENT_EXIT, 1, 0, 90, "other"), 0);
	assert_int_equal(process->end_ns, 60);
	assert_string_equal(process->comm, "name");
}

static void test_recorder_leader_exit_ends_nothing(void **state)
{
	struct process *process = begin(1, PID);

	(void)state;
	assert_int_equal(send_process(EVENT_LEADER_EXIT, 1, 0, 60, "name"), 0);
	assert_false(process->ended);
	assert_int_equal(send_alloc(1, 1, 100, 7, 0), 0);
	assert_int_equal(process->heap.inuse_count, 1);
}

static void test_recorder_pid_used_again_begins_another_image(void **state)
{
	(void)state;
	begin(1, PID);
	send_process(EVENT_EXIT, 1, 0, 60, "name");
	assert_int_equal(begin(2, PID)->image, 2);
	assert_int_equal(begin(3, PID + 1)->image, 1);
}

static int collect(struct process *process, void *arg)
{
	u32 *numbers = arg;

	numbers[++numbers[0]] = process->number;
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

static void test_recorder_free_of_null_is_nothing(void **state)
{
	(void)state;
	recorder_free(NULL);
}

/* --- the side-band, which knows of an exec before the ring does
 * ------------------------------------------------------------------ */

static void test_recorder_mappings_before_exec_event_belong_to_the_next_image(void **state)
{
	struct process *one = begin(1, PID), *two;

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

static void test_recorder_two_execs_between_two_looks_keep_their_own_mappings(void **state)
{
	struct process *two, *three;

	(void)state;
	begin(1, PID);
	recorder_comm(recorder, PID, "two", true, 50);
	map(PID, 0x1000, 51, "/bin/two");
	recorder_comm(recorder, PID, "three", true, 70);
	map(PID, 0x1000, 71, "/bin/three");
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
	begin(1, PID);
	recorder_comm(recorder, PID, "two", true, 50);
	map(PID, 0x1000, 51, "/bin/two");
	recorder_comm(recorder, PID, "three", true, 70);
	map(PID, 0x1000, 71, "/bin/three");
	send_process(EVENT_EXEC, 2, 3, 80, "three");
	assert_string_equal(mapped_at(recorder_find(recorder, 3), 0x1234, 100), "/bin/three");
}

static void test_recorder_map_and_comm_of_unknown_pid_are_ignored(void **state)
{
	struct process *process = begin(1, PID);

	(void)state;
	map(PID + 1, 0x1000, 11, "/bin/x");
	assert_int_equal(recorder_comm(recorder, PID + 1, "x", false, 11), 0);
	assert_string_equal(process->comm, "");
	assert_int_equal(mapping_table_count(process->mappings), 0);
}

static void test_recorder_comm_renames_while_the_image_lasts(void **state)
{
	struct process *process = begin(1, PID);

	(void)state;
	assert_int_equal(recorder_comm(recorder, PID, "renamed", false, 11), 0);
	assert_string_equal(process->comm, "renamed");
	send_process(EVENT_EXIT, 1, 0, 60, "last");
	assert_int_equal(recorder_comm(recorder, PID, "late", false, 70), 0);
	assert_string_equal(process->comm, "last");
}

/* --- anything
 * --------------------------------------------------------------------------------------------------------------------
 */

static u64 seed;

static u64 random_number(void)
{
	u64 z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static int check_process(struct process *process, void *arg)
{
	const struct heap *heap = &process->heap;

	(void)arg;
	assert_int_equal(heap->alloc_count - heap->unfollowed_count - heap->freed_count, heap->inuse_count);
	assert_true(heap->inuse_count <= heap->alloc_count);
	assert_int_equal(HASH_COUNT(heap->objects), heap->inuse_count);
	return 0;
}

static int snapshot_process(struct process *process, void *arg)
{
	struct profile *profile;

	(void)arg;
	assert_int_equal(recorder_snapshot(recorder, process, UINT64_MAX, 1, &profile), 0);
	for (u32 i = 0; i < profile->sample_count; i++)
		for (u32 j = 0; j < profile->samples[i].depth; j++)
			assert_true(profile->samples[i].location[j] < profile->location_count);
	profile_free(profile);
	return 0;
}

/* Words that make sense half of the time, at sizes that do so too. */
static void send_noise(u32 *next)
{
	union {
		struct event header;
		struct event_process process;
		struct event_stack stack;
		u64 words[sizeof(struct event_stack) / 8];
	} noise;
	size_t size = random_number() % (random_number() % 4 ? 80 : sizeof(noise) + 1);
	int err;

	for (size_t i = 0; i < sizeof(noise) / 8; i++)
		noise.words[i] = random_number() >> (random_number() % 4 * 20);
	noise.header.kind = (u16)(random_number() % (EVENT_OVERWRITE + 2));
	noise.header.process = (u32)(random_number() % (*next + 1));
	if (noise.header.kind != EVENT_STACK)
		noise.words[2] = random_number() % 100; /* an object, where there is one */
	if (noise.header.kind == EVENT_STACK && random_number() % 2)
		noise.stack.depth = (u32)(random_number() % 140);
	if (noise.header.kind == EVENT_EXEC) {
		/* The kernel never draws a number twice. */
		noise.process.next = *next + 1;
		noise.process.pid = (u32)(random_number() % 4);
		size = random_number() % 50 ? 0 : size;
	}
	err = send_cut(&noise, size);
	assert_true(err == 0 || err == -EBADMSG || err == -ENOENT);
	if (noise.header.kind == EVENT_EXEC && !err)
		++*next;
}

static void test_recorder_random_bytes_never_harm(void **state)
{
	u32 next = 1;

	(void)state;
	seed = 31337;
	begin(1, 1);
	for (u32 n = 0; n < 100000; n++) {
		send_noise(&next);
		if (n % 100 == 0)
			recorder_for_each(recorder, check_process, NULL);
		if (n % 10000 == 0)
			recorder_for_each(recorder, snapshot_process, NULL);
	}
	assert_true(next > 5);
	recorder_for_each(recorder, snapshot_process, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_recorder_alloc_and_free_reach_their_process_alone),
		TEST(test_recorder_alloc_flags_say_what_is_followed),
		TEST(test_recorder_overwrite_is_a_death),
		TEST(test_recorder_death_told_twice_or_of_an_unknown_object_is_no_error),
		TEST(test_recorder_moved_and_revived_are_connected_by_thread),
		TEST(test_recorder_event_of_no_kind_is_malformed),
		TEST(test_recorder_event_cut_anywhere_is_malformed),
		TEST(test_recorder_stack_shorter_than_its_depth_is_malformed),
		TEST(test_recorder_stack_of_every_depth_is_kept),
		TEST(test_recorder_event_of_unknown_process_is_refused),
		TEST(test_recorder_exec_ends_one_image_and_begins_the_next),
		TEST(test_recorder_exec_of_command_begins_its_first_image),
		TEST(test_recorder_exit_ends_the_image_once),
		TEST(test_recorder_leader_exit_ends_nothing),
		TEST(test_recorder_pid_used_again_begins_another_image),
		TEST(test_recorder_for_each_goes_in_order_and_stops_when_told),
		TEST(test_recorder_free_of_null_is_nothing),
		TEST(test_recorder_mappings_before_exec_event_belong_to_the_next_image),
		TEST(test_recorder_mappings_of_command_before_its_first_image_are_kept),
		TEST(test_recorder_two_execs_between_two_looks_keep_their_own_mappings),
		TEST(test_recorder_exec_announced_but_of_another_pid_is_not_taken),
		TEST(test_recorder_exec_events_lost_the_newest_announcement_counts),
		TEST(test_recorder_map_and_comm_of_unknown_pid_are_ignored),
		TEST(test_recorder_comm_renames_while_the_image_lasts),
		TEST(test_recorder_random_bytes_never_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
