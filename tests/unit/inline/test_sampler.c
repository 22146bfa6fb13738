/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/inline/blob/: the image, and each call that it may take part in, one by one; test_sampler_realloc has those that move objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "inline/frame_header.h"

#include "sampler_call.h"

static void test_image_is_as_its_header_says(void **state)
{
	const struct sampler_header *header = sampler_image_header();

	(void)state;
	assert_int_equal(header->magic, SAMPLER_MAGIC);
	assert_int_equal(header->config % SAMPLER_PAGE, 0);
	for (u32 i = 0; i < SAMPLER_SITES; i++)
		assert_int_equal(header->sites[i] / SAMPLER_PAGE, header->config / SAMPLER_PAGE + 1);
	for (u32 i = 0; i < SAMPLER_ENTRIES; i++)
		assert_in_range(header->entries[i], sizeof(*header), header->eh_frame);
	assert_int_equal(header->slots, header->config + 2 * SAMPLER_PAGE);
	assert_int_equal(header->slots, sampler_image_size());
	assert_int_equal(header->filter, header->slots + SAMPLER_SLOTS * sizeof(struct sampler_slot));
	assert_int_equal(header->state, header->filter + SAMPLER_FILTER);
	assert_in_range(header->table, header->state + sizeof(struct sampler_state), header->state + SAMPLER_PAGE);
	assert_int_equal(header->table % (SAMPLER_BUCKET * sizeof(u64)), 0);
}

static void test_image_frames_fit_a_table(void **state)
{
	const struct sampler_header *header = sampler_image_header();
	struct frame_header frames = {0};

	(void)state;
	assert_int_equal(frame_header_add(&frames, (const u8 *)header + header->eh_frame, header->eh_frame_bytes,
					  0x10000 + header->eh_frame),
			 0);
	assert_in_range(frames.count, SAMPLER_SITES + SAMPLER_ENTRIES + 1, 64);
	assert_int_equal(frames.rows[0].function, 0x10000 + header->entries[SAMPLER_ALLOC]);
	assert_int_equal(frames.rows[frames.count - 1].function, 0x10000 + header->sites[SAMPLER_SETTLED]);
	frame_header_release(&frames);
}

/* Threads that share a slot lose what they subtract at the same time. glibc's stacks, 8 MiB and a page, lie side by side. */
static void test_slots_of_stacks_side_by_side_differ(void **state)
{
	(void)state;
	for (u32 first = 0; first < 1000; first++) {
		u8 used[SAMPLER_SLOTS] = {0};

		for (u32 i = 0; i < 256; i++) {
			u32 thread = first * 0x12345000 - i * 0x801000;

			assert_int_equal(used[thread * SAMPLER_HASH >> (32 - SAMPLER_SLOT_BITS)]++, 0);
		}
	}
}

static void test_alloc_is_told_with_caller_on_the_stack(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	assert_int_equal(told_count, 1);
	assert_born(0, 0x1000, SURE, false);
	assert_int_equal(seen_rsp, entry_rsp - CALL_BYTES);
	call_answering(0, sampled_free, 0x1000, 2, 3);
	assert_int_equal(told_count, 1);
	assert_told(0, SAMPLER_FREED, 0x1000);
	assert_int_equal(told[0].rsp, entry_rsp);
	assert_int_equal(seen_rsp, entry_rsp);
	assert_kept(kept_at_site);
	assert_empty();
}

static void test_alloc_failed_is_not_told(void **state)
{
	(void)state;
	call_answering(0, sampled_malloc, SURE, 2, 3);
	assert_int_equal(told_count, 0);
	assert_empty();
}

static void test_alloc_not_sampled_leaves_the_stack(void **state)
{
	(void)state;
	process_config->sample_bytes = 0;
	for (u32 i = 0; i < 1000; i++) {
		call_answering(0x1000, sampled_malloc, 1ULL << 62, 2, 3);
		assert_int_equal(told_count, 0);
		assert_int_equal(seen_rsp, entry_rsp);
	}
}

static void test_alloc_above_half_of_memory_is_not_sampled(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, 1ULL << 63, 2, 3);
	assert_int_equal(told_count, 1);
	call_answering(0x2000, sampled_malloc, (1ULL << 63) + 1, 2, 3);
	assert_int_equal(told_count, 0);
	call_answering(0x3000, sampled_malloc, UINT64_MAX, 2, 3);
	assert_int_equal(told_count, 0);
	/* The same where the filter's byte sends a realloc of another object into the slow path. */
	call_answering(0, sampled_realloc, 0x1000 + (1ULL << 36), UINT64_MAX, 3);
	assert_int_equal(told_count, 0);
}

/* Words in the sampler's memory that look like the pointer. */
static u32 traces_of(u64 pointer)
{
	const u64 *word = (const u64 *)(process_image + process_header()->slots),
		  *end = (const u64 *)(process_image + process_bytes(process_config->table_bits));
	u32 count = 0;

	for (; word < end; word++)
		count += (*word & ~7ULL) == pointer;
	return count;
}

/* A leak checker that finds one takes the object for used. */
static void test_pointers_are_not_found_in_memory(void **state)
{
	(void)state;
	call_answering(0x7f1234567890, sampled_malloc, SURE, 2, 3);
	assert_born(0, 0x7f1234567890, SURE, false);
	assert_int_equal(traces_of(0x7f1234567890), 0);
	call_answering(0, sampled_realloc, 0x7f1234567890, 1ULL << 63, 3); /* fails */
	assert_moved(0x7f1234567890, false);
	assert_int_equal(traces_of(0x7f1234567890), 0);
	call_answering(0, sampled_free, 0x7f1234567890, 2, 3);
	assert_told(0, SAMPLER_FREED, 0x7f1234567890);
	assert_empty();
}

static void test_free_of_others_is_not_told(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	call_answering(0, sampled_free, 0x1000 + (1ULL << 36), 2, 3); /* the same filter byte */
	assert_int_equal(told_count, 0);
	((u8 *)process_filter)[0]++;
	call_answering(0, sampled_free, 0, 2, 3);
	call_answering(0, sampled_resize, 0, 0, 3);
	assert_int_equal(told_count, 0);
	call_answering(0, sampled_realloc, 0, SURE, 3); /* is malloc's */
	assert_int_equal(told_count, 0);
	call_answering(0x2000, sampled_resize, 0, SURE, 3);
	assert_int_equal(told_count, 1);
	assert_born(0, 0x2000, SURE, false);
}

static void test_free_with_pointer_elsewhere_keeps_its_arguments(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	call_answering(0, sampled_free_second, 77, 0x1000, 3);
	assert_int_equal(told_count, 1);
	assert_told(0, SAMPLER_FREED, 0x1000);
	assert_empty();
}

static void test_posix_memalign_object_is_where_it_was_stored(void **state)
{
	u64 stored = 0;

	(void)state;
	answer_stored = 0x4000;
	call_answering(0, sampled_aligned, (uintptr_t)&stored, 64, SURE);
	assert_int_equal(stored, 0x4000);
	assert_int_equal(told_count, 1);
	assert_born(0, 0x4000, SURE, false);
	call_answering(ENOMEM, sampled_aligned, (uintptr_t)&stored, 64, SURE);
	assert_int_equal(told_count, 0);
}

static void test_duplicate_is_as_large_as_its_string(void **state)
{
	char string[300];

	(void)state;
	memset(string, 'x', sizeof(string));
	string[sizeof(string) - 1] = 0;
	call_answering((uintptr_t)string, sampled_duplicate, (uintptr_t)string, 2, 3);
	assert_int_equal(told_count, 1);
	assert_born(0, (uintptr_t)string, sizeof(string), false);
	call_answering(0, sampled_duplicate, (uintptr_t)string, 2, 3);
	assert_int_equal(told_count, 0);
	process_config->sample_bytes = 0;
	call_answering((uintptr_t)string, sampled_duplicate, (uintptr_t)string, 2, 3);
	assert_int_equal(told_count, 0);
}

/* The caller is on the stack, right behind the blob. */
static void assert_unwound(void)
{
	u32 i = 0;

	while (i < unwound_count && unwound[i] != (uintptr_t)call_with_return)
		i++;
	assert_in_range(i, 1, unwound_count - 1);
	assert_in_range(unwound[i - 1] - (uintptr_t)process_image, sizeof(struct sampler_header),
			process_header()->eh_frame);
}

static void call_unwound(function function, u64 one, u64 two)
{
	const u64 arguments[6] = {one, two};

	told_count = 0;
	call_with(function, arguments);
	assert_unwound();
	assert_kept(kept_after);
}

/* The end that __register_frame wants is what the linker fills a page with. */
static void test_unwinder_passes_a_sampled_call(void **state)
{
	u8 *eh_frame = process_image + process_header()->eh_frame;

	(void)state;
	__register_frame(eh_frame);
	answer = 0x1000;
	call_unwound(sampled_unwound, SURE, 0);
	assert_int_equal(told_count, 1);
	call_unwound(sampled_unwound_realloc, 0x1000, SURE);
	assert_int_equal(told_count, 3);
	__deregister_frame(eh_frame);
}

/* What may throw is not called for a sample, but one that returns NULL. */
static void test_sample_of_a_function_that_throws(void **state)
{
	(void)state;
	has_thrown = 0;
	call_answering(0x1000, sampled_throwing, SURE, 2, 3);
	assert_int_equal(has_thrown, 0);
	assert_int_equal(seen_rsp, entry_rsp - CALL_BYTES);
	assert_int_equal(told_count, 1);
	assert_born(0, 0x1000, SURE, false);
}

/* Then it is called as if there had been no sample. */
static void test_failure_of_a_function_that_throws(void **state)
{
	(void)state;
	has_thrown = 0;
	call_answering(0, sampled_throwing, SURE, 2, 3);
	assert_int_equal(has_thrown, 1);
	assert_int_equal(seen_rsp, entry_rsp);
	assert_int_equal(told_count, 0);
	assert_empty();
}

/* No frame of the sampler's is between it and its caller, so it does not matter that the unwinder knows none. */
static void test_unwinder_passes_a_function_that_throws(void **state)
{
	const u64 arguments[6] = {SURE};
	u32 i = 0;

	(void)state;
	answer = 0;
	call_with(sampled_unwound_throwing, arguments);
	while (i < unwound_count && unwound[i] != (uintptr_t)call_with_return)
		i++;
	assert_in_range(i, 1, unwound_count - 1);
	assert_kept(kept_after);
}

/* Each page of the filter that is looked at is a page fault of the process. */
static void test_filter_of_a_small_heap_has_few_pages(void **state)
{
	const u64 heap = 0x55d0a1b3c000, bytes = 2 << 20;
	u8 touched[SAMPLER_FILTER / SAMPLER_PAGE] = {0};
	u32 count = 0;

	(void)state;
	for (u64 at = 0; at < bytes; at += 16)
		touched[sampler_filter_index(heap + at) / SAMPLER_PAGE] = 1;
	for (u32 i = 0; i < sizeof(touched); i++)
		count += touched[i];
	assert_in_range(count, 1, 10);
}

/* Large objects begin at pages, or a few bytes behind. */
static void test_filter_tells_large_objects_apart(void **state)
{
	const u64 step = 513 * 4096; /* 2 MiB, and what malloc puts before them */
	u8 *used = calloc(1, SAMPLER_FILTER);
	u32 most = 0;

	(void)state;
	for (u64 i = 0; i < 2000; i++) {
		u8 *byte = &used[sampler_filter_index(0x7f3000000010 + i * step)];

		most = ++*byte > most ? *byte : most;
	}
	assert_in_range(most, 1, 4);
	free(used);
}

/* What it counts no longer may be anything: it must not become 0 while there are objects. */
static void test_filter_byte_that_is_full_stays(void **state)
{
	u8 *byte = &((u8 *)process_filter)[sampler_filter_index(0x1000)];

	(void)state;
	*byte = SAMPLER_FILTER_FULL - 1;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	assert_int_equal(*byte, SAMPLER_FILTER_FULL);
	call_answering(0x1010, sampled_malloc, SURE, 2, 3); /* the same byte */
	assert_int_equal(*byte, SAMPLER_FILTER_FULL);
	call_answering(0, sampled_free, 0x1000, 2, 3);
	assert_told(0, SAMPLER_FREED, 0x1000);
	call_answering(0, sampled_free, 0x1010, 2, 3);
	assert_told(0, SAMPLER_FREED, 0x1010);
	assert_int_equal(*byte, SAMPLER_FILTER_FULL);
	*byte = 0;
	assert_empty();
}

static void test_full_bucket_is_told(void **state)
{
	(void)state;
	process_end();
	process_begin(1, 3);
	for (u64 i = 1; i <= 8; i++) {
		call_answering(i << 12, sampled_malloc, SURE, 2, 3);
		assert_born(0, i << 12, SURE, false);
	}
	call_answering(9 << 12, sampled_malloc, SURE, 2, 3);
	assert_born(0, 9 << 12, SURE, true);
	call_answering(0, sampled_free, 9 << 12, 2, 3);
	assert_int_equal(told_count, 0);
	call_answering(0, sampled_free, 5 << 12, 2, 3);
	assert_told(0, SAMPLER_FREED, 5 << 12);
	call_answering(9 << 12, sampled_malloc, SURE, 2, 3);
	assert_born(0, 9 << 12, SURE, false);
}

static void test_call_from_a_range_is_nested(void **state)
{
	s64 caller = call_with_return - (const u8 *)process_config;

	(void)state;
	assert_in_range(caller + (1LL << 31), 0, UINT32_MAX);
	process_config->ranges[0] = (struct sampler_range){.start = (s32)caller + 1, .end = (s32)caller + 2};
	process_config->ranges[1] = (struct sampler_range){.start = (s32)caller - 1, .end = (s32)caller};
	process_config->range_count = 2;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	assert_int_equal(told_count, 1);
	process_config->ranges[1].end++;
	call_answering(0x2000, sampled_malloc, SURE, 2, 3);
	assert_int_equal(told_count, 0);
	call_answering(0x3000, sampled_realloc, 0x1000, SURE, 3);
	assert_int_equal(told_count, 2);
	assert_moved(0x1000, true);
	assert_empty();
}

int main(void)
{
#define in_process(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image_is_as_its_header_says),
		cmocka_unit_test(test_image_frames_fit_a_table),
		cmocka_unit_test(test_slots_of_stacks_side_by_side_differ),
		in_process(test_alloc_is_told_with_caller_on_the_stack),
		in_process(test_alloc_failed_is_not_told),
		in_process(test_alloc_not_sampled_leaves_the_stack),
		in_process(test_alloc_above_half_of_memory_is_not_sampled),
		in_process(test_pointers_are_not_found_in_memory),
		in_process(test_free_of_others_is_not_told),
		in_process(test_free_with_pointer_elsewhere_keeps_its_arguments),
		in_process(test_posix_memalign_object_is_where_it_was_stored),
		in_process(test_duplicate_is_as_large_as_its_string),
		in_process(test_unwinder_passes_a_sampled_call),
		in_process(test_sample_of_a_function_that_throws),
		in_process(test_failure_of_a_function_that_throws),
		in_process(test_unwinder_passes_a_function_that_throws),
		cmocka_unit_test(test_filter_of_a_small_heap_has_few_pages),
		cmocka_unit_test(test_filter_tells_large_objects_apart),
		in_process(test_filter_byte_that_is_full_stays),
		in_process(test_full_bucket_is_told),
		in_process(test_call_from_a_range_is_nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
