/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The variants of stack.c, through the recorder: allocations whose stack's hash was made while other code was at its addresses. Events
 * are made as the BPF programs make them: with the hash of the list that they used.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "include/stackhash.h"
#include "system/address_map.h"
#include "heap/apply_event.h"
#include "heap/snapshot.h"

#define PROCESS 3
#define PID	500
#define PROGRAM 0x400000
#define LIBRARY 0x700000
#define OTHER	0x900000

static char files[3];
static struct recorder *recorder;
static struct image *process;
static struct profile *profile;
static u64 objects;
static u32 generation; /* of the newest list */

/* main, in the library, in the other one, in the program. */
static const u64 frames[] = {PROGRAM + 0x10, LIBRARY + 0x20, OTHER + 0x30, PROGRAM + 0x40};

#define DEPTH (sizeof(frames) / sizeof(*frames))

static void map(u64 start, u64 from_ns, const char *path, u32 file)
{
	struct mapping mapping = {.start = start,
				  .end = start + 0x1000,
				  .from_ns = from_ns,
				  .path = (char *)path,
				  .elf = (struct elf *)&files[file]};

	assert_int_equal(recorder_map(recorder, PID, &mapping), 0);
}

static void publish(u64 now_ns)
{
	address_map_set_known(process->mappings, now_ns, ++generation);
}

static int setup(void **state)
{
	(void)state;
	recorder = recorder_new(&(struct recorder_options){.sample_bytes = 1});
	objects = generation = 0;
	if (!recorder || recorder_begin(recorder, PROCESS, PID, 1, 10, &process))
		return -1;
	map(PROGRAM, 0, "/program", 0);
	map(LIBRARY, 0, "/red", 1);
	map(OTHER, 0, "/other", 0);
	publish(10);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	profile_free(profile);
	profile = NULL;
	recorder_free(recorder);
	return 0;
}

static u64 hash_by(u32 list, u32 depth)
{
	return stackhash(frames, depth, stackhash_seed(PROCESS, list));
}

static void send_stack(u64 hash, u32 depth, u64 time_ns)
{
	struct event_stack event = {
		.header = {.kind = EVENT_STACK, .process = PROCESS, .time_ns = time_ns}, .stack = hash, .depth = depth};

	memcpy(event.ip, frames, depth * sizeof(*frames));
	assert_int_equal(apply_event(recorder, &event.header, sizeof(event)), 0);
}

static void send_alloc(u64 hash, u64 size, u64 time_ns)
{
	struct event_alloc event = {.header = {.kind = EVENT_ALLOC, .process = PROCESS, .time_ns = time_ns},
				    .object = ++objects,
				    .addr = 16 * objects,
				    .size = size,
				    .stack = hash};

	assert_int_equal(apply_event(recorder, &event.header, sizeof(event)), 0);
}

/* As a program does it: the stack at its first sight, walked by the list of that generation. */
static void allocate(u32 list, u32 depth, u64 size, u64 time_ns)
{
	u64 hash = hash_by(list, depth);

	if (!stack_table_find(&process->stacks, hash))
		send_stack(hash, depth, time_ns);
	send_alloc(hash, size, time_ns + 1);
}

static void take(void)
{
	profile_free(profile);
	profile = NULL;
	assert_int_equal(snapshot_take(recorder_options(recorder), process, 10000, 0, &profile), 0);
}

/* Objects of that size whose stack is that deep, its second frame in the file of that name. */
static u64 named(u64 size, u32 depth, const char *path)
{
	u64 count = 0;

	take();
	for (u32 i = 0; i < profile->sample_count; i++) {
		const struct profile_sample *sample = &profile->samples[i];

		if (sample->size == size && sample->depth == depth &&
		    !strcmp(profile->mappings[profile->locations[sample->location[1]].mapping].path, path))
			count += sample->alloc_count;
	}
	return count;
}

static u64 stale(void)
{
	return process->ledger[COUNTER_STACK_STALE];
}

static void test_variant_without_displacement_hash_is_its_stack(void **state)
{
	(void)state;
	allocate(1, DEPTH, 100, 20);
	map(OTHER + 0x2000, 30, "/new", 2);
	allocate(1, DEPTH, 100, 40);
	assert_int_equal(named(100, DEPTH, "/red"), 2);
	assert_int_equal(HASH_COUNT(process->stacks.stacks), 1);
	assert_int_equal(stale(), 0);
}

/* The programs go by the old list: the frame is named by the new code, and the rest, walked by wrong rules, is gone. */
static void test_variant_code_replaced_is_named_by_time_and_cut(void **state)
{
	(void)state;
	allocate(1, DEPTH, 100, 20);
	map(LIBRARY, 30, "/green", 2);
	allocate(1, DEPTH, 200, 40);
	allocate(1, DEPTH, 200, 50);
	assert_int_equal(named(100, DEPTH, "/red"), 1);
	assert_int_equal(named(200, 2, "/green"), 2);
	assert_int_equal(stale(), 2);
	assert_int_equal(profile->ledger[COUNTER_STACK_CUT], 0);
	assert_int_equal(profile->ledger[COUNTER_STACK_STALE], 2);
}

static void test_variant_walked_by_the_new_list_is_whole(void **state)
{
	(void)state;
	allocate(1, DEPTH, 100, 20);
	map(LIBRARY, 30, "/green", 2);
	publish(35);
	allocate(2, DEPTH, 200, 40);
	assert_int_equal(named(100, DEPTH, "/red"), 1);
	assert_int_equal(named(200, DEPTH, "/green"), 1);
	assert_int_equal(stale(), 0);
}

/* A walk that began before the new list was published, and was reported after it. */
static void test_variant_old_walk_told_late_is_stale(void **state)
{
	(void)state;
	map(LIBRARY, 30, "/green", 2);
	publish(35);
	allocate(1, DEPTH, 200, 40);
	allocate(2, DEPTH, 300, 41);
	assert_int_equal(named(200, 2, "/green"), 1);
	assert_int_equal(named(300, DEPTH, "/green"), 1);
	assert_int_equal(stale(), 1);
}

/* The side-band is read ahead of the ring. */
static void test_variant_displacement_to_come_changes_nothing_yet(void **state)
{
	(void)state;
	map(LIBRARY, 30, "/green", 2);
	map(LIBRARY, 50, "/blue", 0);
	allocate(1, DEPTH, 100, 20);
	allocate(1, DEPTH, 100, 28);
	allocate(1, DEPTH, 200, 30);
	allocate(1, DEPTH, 200, 48);
	allocate(1, DEPTH, 300, 50);
	assert_int_equal(named(100, DEPTH, "/red"), 2);
	assert_int_equal(named(200, 2, "/green"), 2);
	assert_int_equal(named(300, 2, "/blue"), 1);
	assert_int_equal(stale(), 3);
}

static void test_variant_same_file_again_is_not_stale(void **state)
{
	(void)state;
	allocate(1, DEPTH, 100, 20);
	map(LIBRARY, 30, "/red", 1);
	allocate(1, DEPTH, 100, 40);
	map(LIBRARY, 50, "/green", 2);
	map(LIBRARY, 60, "/red", 1);
	allocate(1, DEPTH, 100, 70);
	assert_int_equal(named(100, DEPTH, "/red"), 3);
	assert_int_equal(stale(), 0);
	assert_int_equal(HASH_COUNT(process->stacks.stacks), 1);
}

/* By turns, often: as many stacks as there are meanings. */
static void test_variant_by_turns_is_made_once_for_each_meaning(void **state)
{
	(void)state;
	for (u64 i = 0; i < 300; i++) {
		u32 file = 1 + i % 2;

		map(LIBRARY, 100 + 10 * i, file == 1 ? "/red" : "/green", file);
		allocate(1, DEPTH, 100 * file, 101 + 10 * i);
	}
	assert_int_equal(named(100, DEPTH, "/red"), 150);
	assert_int_equal(named(200, 2, "/green"), 150);
	assert_int_equal(stale(), 150);
	assert_int_equal(HASH_COUNT(process->stacks.stacks), 2);
}

static void test_variant_replaced_leaf_leaves_the_leaf(void **state)
{
	const struct profile_sample *sample;

	(void)state;
	allocate(1, DEPTH, 100, 20);
	map(PROGRAM, 30, "/other-program", 2);
	allocate(1, DEPTH, 200, 40);
	take();
	assert_int_equal(profile->sample_count, 2);
	sample = &profile->samples[1];
	assert_int_equal(sample->depth, 1);
	assert_string_equal(profile->mappings[profile->locations[sample->location[0]].mapping].path, "/other-program");
	assert_int_equal(stale(), 1);
}

/* Where it ends there is nothing to cut, but who knows whether it should have ended there. */
static void test_variant_replaced_root_is_stale(void **state)
{
	(void)state;
	map(LIBRARY, 30, "/green", 2);
	allocate(1, 2, 100, 40);
	assert_int_equal(named(100, 2, "/green"), 1);
	assert_int_equal(stale(), 1);
}

/* Replaced where no frame is. */
static void test_variant_displacement_elsewhere_is_no_matter(void **state)
{
	(void)state;
	map(OTHER + 0x2000, 0, "/third", 1);
	allocate(1, DEPTH, 100, 20);
	map(OTHER + 0x2000, 30, "/fourth", 2);
	allocate(1, DEPTH, 100, 40);
	assert_int_equal(named(100, DEPTH, "/red"), 2);
	assert_int_equal(stale(), 0);
}

/* Walked here by what is true at the time: only the meaning counts, and each has a number of its own. */
static void test_variant_raw_stack_is_its_own(void **state)
{
	u64 id = RAW_STACK_ID | 5;

	(void)state;
	map(LIBRARY, 30, "/green", 2);
	send_alloc(id, 100, 40);
	send_stack(id, DEPTH, 40);
	assert_int_equal(named(100, DEPTH, "/green"), 1);
	assert_int_equal(stale(), 0);
}

static void test_variant_unknown_hash_is_kept(void **state)
{
	(void)state;
	send_alloc(77, 100, 40);
	send_alloc(0, 100, 40);
	take();
	assert_int_equal(profile->ledger[COUNTER_STACK_STALE], 0);
	assert_int_equal(process->heap.alloc_count, 2);
}

/* A reader that lags sees stacks of lists long replaced. */
static void test_variant_generation_is_told_by_the_hash(void **state)
{
	const struct stack *stack;

	(void)state;
	for (u32 i = 0; i < 500; i++)
		publish(10);
	for (u32 list = 1; list <= generation; list += 50) {
		send_stack(hash_by(list, DEPTH), DEPTH, 20);
		stack = stack_table_find(&process->stacks, hash_by(list, DEPTH));
		assert_int_equal(stack->generation, list);
	}
	send_stack(hash_by(generation + 1, DEPTH), DEPTH, 20);
	assert_int_equal(stack_table_find(&process->stacks, hash_by(generation + 1, DEPTH))->generation, 0);
	for (u32 i = 0; i < STACK_GENERATIONS; i++)
		publish(10);
	stack = stack_table_find(&process->stacks, hash_by(1, DEPTH));
	assert_int_equal(stack_generation(stack, PROCESS, generation), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_variant_without_displacement_hash_is_its_stack),
		TEST(test_variant_code_replaced_is_named_by_time_and_cut),
		TEST(test_variant_walked_by_the_new_list_is_whole),
		TEST(test_variant_old_walk_told_late_is_stale),
		TEST(test_variant_displacement_to_come_changes_nothing_yet),
		TEST(test_variant_same_file_again_is_not_stale),
		TEST(test_variant_by_turns_is_made_once_for_each_meaning),
		TEST(test_variant_replaced_leaf_leaves_the_leaf),
		TEST(test_variant_replaced_root_is_stale),
		TEST(test_variant_displacement_elsewhere_is_no_matter),
		TEST(test_variant_raw_stack_is_its_own),
		TEST(test_variant_unknown_hash_is_kept),
		TEST(test_variant_generation_is_told_by_the_hash),
	};

	return cmocka_run_group_tests_name("variant", tests, NULL, NULL);
}
