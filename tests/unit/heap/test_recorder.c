/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recorder.c: events of objects and stacks applied to images, in whatever order and shape they come. */
#include <errno.h>
#include <stdlib.h>

#include "heap/snapshot.h"
#include "recorder_event.h"

/* --- objects --- */

static void test_recorder_alloc_and_free_reach_their_process_alone(void **state)
{
	struct image *one = begin(1, PID), *two = begin(2, PID + 1);

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
	struct image *image = begin(1, PID);

	(void)state;
	assert_int_equal(send_alloc(1, 1, 100, 7, EVENT_REFUSED), 0);
	assert_int_equal(send_alloc(1, 2, 100, 7, EVENT_UNFOLLOWED), 0);
	assert_int_equal(send_alloc(1, 3, 100, 0, 0), 0);
	assert_int_equal(send_alloc(1, 4, 100, 0, EVENT_REFUSED), 0);
	assert_int_equal(image->heap.alloc_count, 4);
	assert_int_equal(image->heap.unfollowed_count, 3);
	assert_int_equal(image->heap.inuse_count, 1);
}

static void test_recorder_overwrite_is_a_death(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	send_alloc(1, 1, 100, 7, 0);
	assert_int_equal(send_object(EVENT_OVERWRITE, 1, 1), 0);
	assert_int_equal(image->heap.inuse_count, 0);
	assert_int_equal(image->heap.freed_count, 1);
}

static void test_recorder_death_told_twice_or_of_an_unknown_object_is_no_error(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	send_alloc(1, 1, 100, 7, 0);
	assert_int_equal(send_object(EVENT_FREE, 1, 1), 0);
	assert_int_equal(send_object(EVENT_FREE, 1, 1), 0);
	assert_int_equal(send_object(EVENT_FREE, 1, 99), 0);
	assert_int_equal(send_moved(EVENT_MOVED, 1, 99, 8), 0);
	assert_int_equal(send_moved(EVENT_REVIVED, 1, 99, 8), 0);
	assert_int_equal(image->heap.freed_count, 1);
}

/* Two threads in realloc at once: each one's failure brings back its own object. */
static void test_recorder_moved_and_revived_are_connected_by_thread(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	send_alloc(1, 1, 100, 7, 0);
	send_alloc(1, 2, 200, 7, 0);
	assert_int_equal(send_moved(EVENT_MOVED, 1, 1, 501), 0);
	assert_int_equal(send_moved(EVENT_MOVED, 1, 2, 502), 0);
	assert_int_equal(image->heap.inuse_count, 0);
	assert_int_equal(send_moved(EVENT_REVIVED, 1, 1, 502), 0);
	assert_int_equal(image->heap.inuse_count, 0);
	assert_int_equal(send_moved(EVENT_REVIVED, 1, 2, 502), 0);
	assert_int_equal(image->heap.inuse_count, 1);
	assert_true(image->heap.inuse_bytes == 200);
}

/* --- malformed --- */

static void test_recorder_event_of_no_kind_is_malformed(void **state)
{
	static const u16 kinds[] = {EVENT_NONE, EVENT_OVERWRITE + 1, 0x100 + EVENT_ALLOC, 0xffff};
	struct event_process event = {.header = {.process = 1}};

	(void)state;
	begin(1, PID);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		event.header.kind = kinds[i];
		assert_int_equal(apply_event(recorder, &event.header, sizeof(event)), -EBADMSG);
	}
}

/* Copied to the heap at its exact size, so that the sanitizer sees a byte too much. */
static int send_cut(const void *event, size_t size)
{
	struct event *cut = malloc(size ? size : 1);
	int err;

	memcpy(cut, event, size);
	err = apply_event(recorder, cut, size);
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
	struct image *image = begin(1, PID);

	(void)state;
	assert_int_equal(send_stack(1, 7, 3, stack_size(3) - 1), -EBADMSG);
	assert_int_equal(send_stack(1, 7, 0, stack_size(0)), -EBADMSG);
	assert_int_equal(send_stack(1, 7, STACK_DEPTH_MAX + 1, sizeof(struct event_stack)), -EBADMSG);
	assert_int_equal(send_stack(1, 7, 0xffffffff, sizeof(struct event_stack)), -EBADMSG);
	assert_int_equal(send_stack(1, 7, 0x20000000, stack_size(0)), -EBADMSG);
	assert_null(stack_table_find(&image->stacks, 7));
}

static void test_recorder_stack_of_every_depth_is_kept(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	for (u32 depth = 1; depth <= STACK_DEPTH_MAX; depth++) {
		assert_int_equal(send_stack(1, 1000 + depth, depth, stack_size(depth)), 0);
		assert_int_equal(stack_table_find(&image->stacks, 1000 + depth)->depth, depth);
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

/* --- anything --- */

static u64 seed;

static u64 random_number(void)
{
	u64 z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static int check_process(struct image *image, void *arg)
{
	const struct heap *heap = &image->heap;

	(void)arg;
	assert_int_equal(heap->alloc_count - heap->unfollowed_count - heap->freed_count, heap->inuse_count);
	assert_true(heap->inuse_count <= heap->alloc_count);
	assert_int_equal(HASH_COUNT(heap->objects), heap->inuse_count);
	return 0;
}

static int snapshot_process(struct image *image, void *arg)
{
	struct profile *profile;

	(void)arg;
	assert_int_equal(snapshot_take(recorder_options(recorder), image, UINT64_MAX, 1, &profile), 0);
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
	bool begins;
	int err;

	for (size_t i = 0; i < sizeof(noise) / 8; i++)
		noise.words[i] = random_number() >> (random_number() % 4 * 20);
	noise.header.kind = (u16)(random_number() % (EVENT_LEAVE + 2));
	noise.header.process = (u32)(random_number() % (*next + 1));
	if (noise.header.kind != EVENT_STACK)
		noise.words[2] = random_number() % 100; /* an object, where there is one */
	if (noise.header.kind == EVENT_STACK && random_number() % 2)
		noise.stack.depth = (u32)(random_number() % 140);
	begins = noise.header.kind == EVENT_EXEC || noise.header.kind == EVENT_FORK || noise.header.kind == EVENT_ENTER;
	if (begins) {
		/* The kernel never draws a number twice. */
		noise.process.next = *next + 1;
		noise.process.pid = (u32)(random_number() % 4);
		size = random_number() % 50 ? 0 : size;
	}
	err = send_cut(&noise, size);
	assert_true(err == 0 || err == -EBADMSG || err == -ENOENT);
	if (begins && !err)
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
		TEST(test_recorder_random_bytes_never_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
