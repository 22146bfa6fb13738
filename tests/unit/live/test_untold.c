/* SPDX-License-Identifier: GPL-2.0-or-later */
/* untold.c: what a process allocated since it was in an answer, and nothing else, is nobody's when it is dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "heap/go_profile.h"
#include "live/untold.h"

#define SAMPLE_BYTES 1

static struct recorder *recorder;
static struct image *process;
static struct untold untold;
static u64 next_id;

static int setup(void **state)
{
	const struct recorder_options options = {.sample_bytes = SAMPLE_BYTES};

	(void)state;
	untold = (struct untold){0};
	recorder = recorder_new(&options);
	return recorder && !recorder_begin(recorder, 9, 1234, 1, 77, &process) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	recorder_free(recorder);
	return 0;
}

/* An answer has the process, and is kept, or not. */
static void answer(bool kept)
{
	untold_answer(process);
	untold_say(&untold, kept);
	untold_settle(&untold, recorder);
}

static void allocate(u64 size)
{
	next_id++;
	assert_int_equal(heap_alloc(&process->heap, next_id, 16 * next_id, size, 7, true, next_id), 0);
}

static void assert_untold(u64 processes, u64 bytes)
{
	bool more = processes > untold.sum.processes;

	assert_int_equal(untold_remains(process), more);
	untold_add(&untold, process);
	assert_int_equal(untold.sum.processes, processes);
	assert_int_equal(untold.sum.bytes, bytes);
}

static void test_untold_is_all_of_a_process_that_was_in_no_answer(void **state)
{
	(void)state;
	assert_untold(0, 0);
	allocate(100);
	allocate(20);
	assert_untold(1, 120);
}

static void test_untold_is_what_came_after_the_last_answer(void **state)
{
	(void)state;
	allocate(100);
	answer(true);
	assert_untold(0, 0);
	allocate(30);
	assert_int_equal(heap_free(&process->heap, next_id), 0);
	assert_untold(1, 30);
	answer(true);
	assert_untold(1, 30);
}

/* Who asked had no memory to use it: the next answer should have it, and what is dropped before is nobody's. */
static void test_untold_is_what_an_answer_had_that_was_not_kept(void **state)
{
	(void)state;
	allocate(100);
	untold_answer(process);
	assert_true(untold_remains(process));
	untold_settle(&untold, recorder);
	assert_true(untold_remains(process));
	answer(false);
	assert_true(untold_remains(process));
	assert_untold(1, 100);
	answer(true);
	assert_untold(1, 100);
}

/* It is dropped before it is known whether the answer is kept. */
static void drop_answered(bool kept, u64 processes, u64 bytes)
{
	untold = (struct untold){0};
	untold_answer(process);
	untold_add(&untold, process);
	assert_int_equal(untold.sum.processes, 0);
	untold_say(&untold, kept);
	untold_settle(&untold, recorder);
	assert_int_equal(untold.sum.processes, processes);
	assert_int_equal(untold.sum.bytes, bytes);
}

static void test_untold_of_one_that_is_dropped_waits_for_its_answer(void **state)
{
	(void)state;
	allocate(100);
	drop_answered(false, 1, 100);
	drop_answered(true, 0, 0);
	allocate(20);
	untold_answer(process);
	allocate(3);
	untold_add(&untold, process);
	untold_say(&untold, false);
	untold_settle(&untold, recorder);
	assert_int_equal(untold.sum.processes, 1);
	assert_int_equal(untold.sum.bytes, 23);
}

static void read_go(u64 rate, u64 allocs)
{
	free(process->go ? process->go->buckets.buckets : NULL);
	free(process->go);
	process->go = calloc(1, sizeof(*process->go));
	assert_non_null(process->go);
	process->go->rate = rate;
	process->go->read_ns = 1;
	process->go->buckets.buckets = calloc(1, sizeof(struct go_bucket));
	assert_non_null(process->go->buckets.buckets);
	process->go->buckets.count = 1;
	process->go->buckets.buckets[0] = (struct go_bucket){.size = 1000, .allocs = allocs, .frees = 1};
}

/* A Go program's own profile is added up with the others where it has their interval. */
static void test_untold_of_a_go_program(void **state)
{
	(void)state;
	read_go(SAMPLE_BYTES, 3);
	answer(true);
	read_go(SAMPLE_BYTES, 5);
	allocate(100);
	assert_untold(1, 2100);
	read_go(512 << 10, 50);
	answer(true);
	assert_untold(1, 2100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_untold_is_all_of_a_process_that_was_in_no_answer),
		TEST(test_untold_is_what_came_after_the_last_answer),
		TEST(test_untold_is_what_an_answer_had_that_was_not_kept),
		TEST(test_untold_of_one_that_is_dropped_waits_for_its_answer),
		TEST(test_untold_of_a_go_program),
	};

	return cmocka_run_group_tests_name("untold", tests, NULL, NULL);
}
