/* SPDX-License-Identifier: GPL-2.0-or-later */
/* go_profile.c: whether what a Go program says of itself is all there is, and what it knows of the memory then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "heap/go_profile.h"
#include "heap/memory_notes.h"
#include "heap/snapshot.h"
#include "system/smaps.h"

static const struct recorder_options options = {.sample_bytes = 1};
static struct image *image;
static struct profile *profile;

/* The program's memory is this process's. */
static int setup(void **state)
{
	(void)state;
	image = image_new(9, (u32)getpid(), 1, 1, 1000);
	if (!image)
		return -1;
	image_set_comm(image, "gopher");
	image->go = calloc(1, sizeof(*image->go));
	if (!image->go)
		return -1;
	strcpy(image->go->version, "go1.24");
	image->go->rate = 524288;
	image->go->read_ns = 1500;
	image->go->alone = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	profile_free(profile);
	profile = NULL;
	image_free(image);
	return 0;
}

static void read_memory(void)
{
	int smaps = smaps_open(getpid());
	struct memory_notes *notes = smaps < 0 ? NULL : memory_notes_of(&options, image, smaps);

	assert_non_null(notes);
	assert_true(memory_read(notes).known);
}

static void make(void)
{
	profile_free(profile);
	profile = NULL;
	assert_int_equal(go_profile_make(&options, image, 2000, 1, SNAPSHOT_LIFETIMES, &profile), 0);
}

static void test_go_profile_that_is_all_says_what_the_memory_consists_of(void **state)
{
	(void)state;
	read_memory();
	make();
	assert_false(profile->go.beside);
	assert_true(profile->memory.known);
	assert_true(memory_sum(&profile->memory).resident > 0);
	assert_false(profile->memory.inuse_known);
}

/* Then another profile of the process has it, and the sum of both has it once. */
static void test_go_profile_beside_what_malloc_gave_leaves_the_memory_to_that(void **state)
{
	(void)state;
	assert_true(go_profile_is_all(image));
	assert_int_equal(heap_alloc(&image->heap, 1, 16, 100, 0, true, 1100), 0);
	assert_false(go_profile_is_all(image));
	read_memory();
	make();
	assert_true(profile->go.beside);
	assert_false(profile->memory.known);
	profile_free(profile);
	assert_int_equal(snapshot_take(&options, image, 2000, 1, &profile), 0);
	assert_true(profile->memory.known && profile->memory.inuse_known);
}

static void test_go_profile_beside_mappings_is_not_all(void **state)
{
	const struct event_region event = {.call = REGION_MMAP, .addr = 0x7f0000000000, .size = 4096};

	(void)state;
	assert_int_equal(regions_apply(&image->regions, &event, 0, &image->heap.share), 0);
	assert_false(go_profile_is_all(image));
	make();
	assert_true(profile->go.beside);
}

static void test_go_profile_of_a_program_that_does_not_sample_is_none(void **state)
{
	(void)state;
	image->go->rate = 0;
	assert_false(go_profile_is_all(image));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_go_profile_that_is_all_says_what_the_memory_consists_of),
		TEST(test_go_profile_beside_what_malloc_gave_leaves_the_memory_to_that),
		TEST(test_go_profile_beside_mappings_is_not_all),
		TEST(test_go_profile_of_a_program_that_does_not_sample_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
