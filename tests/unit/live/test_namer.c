/* SPDX-License-Identifier: GPL-2.0-or-later */
/* namer.c: what is wanted of the snapshots of an answer, with names. */
#include "unit/live/taken_scene.h"

#include "live/namer.h"

/* A draft of a process that has an object, and has mapped so many pages. */
static void draft_mapper(struct taken_list *list, u32 pid, u64 pages, bool ended)
{
	const struct recorder_options options = {.sample_bytes = 1};
	const struct event_region event = {.call = REGION_MMAP, .addr = 0x7f0000000000, .size = pages * REGION_PAGE};
	struct image *image = scene_image(pid, 1, "mapper");
	struct snapshot_draft *made;

	image->ended = ended;
	assert_int_equal(heap_alloc(&image->heap, 1, 16, pages, 0, true, 1001), 0);
	assert_int_equal(regions_apply(&image->regions, &event, 0, &image->heap.share), 0);
	assert_int_equal(snapshot_draft_make(&options, image, 2000, 99, SNAPSHOT_STACKS | SNAPSHOT_REGIONS, &made), 0);
	assert_int_equal(taken_list_add(list, made), 0);
}

/* One that runs, of 3, and one that has ended, of 4. */
static void assert_named(const struct source_want *want, u64 allocated, u64 inuse)
{
	struct taken_list list = {0};
	struct profile *profile;
	struct namer namer;
	u64 all[MEASURE_MAX];

	assert_int_equal(namer_init(&namer, NULL, 0), 0);
	draft_mapper(&list, 7, 3, false);
	draft_mapper(&list, 8, 4, true);
	assert_int_equal(namer_profile(&namer, want, &list, &profile), 0);
	taken_list_release(&list);
	taken_scene_end();
	namer_release(&namer);
	assert_int_equal(profile->label_count, 2);
	profile_totals(profile, all);
	assert_int_equal(all[ALLOC_SPACE], allocated);
	assert_int_equal(all[INUSE_SPACE], inuse);
	profile_free(profile);
}

static void test_namer_of_the_living_has_nothing_in_use_of_what_has_ended(void **state)
{
	(void)state;
	assert_named(&(struct source_want){0}, 7, 7);
	assert_named(&(struct source_want){.living = true}, 7, 3);
}

static void test_namer_of_the_living_has_nothing_mapped_in_what_has_ended(void **state)
{
	(void)state;
	assert_named(&(struct source_want){.regions = true}, 7 * REGION_PAGE, 7 * REGION_PAGE);
	assert_named(&(struct source_want){.regions = true, .living = true}, 7 * REGION_PAGE, 3 * REGION_PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_namer_of_the_living_has_nothing_in_use_of_what_has_ended),
		cmocka_unit_test(test_namer_of_the_living_has_nothing_mapped_in_what_has_ended),
	};

	return cmocka_run_group_tests_name("namer", tests, NULL, NULL);
}
