/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions call by call, and against a model that keeps each page by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/mman.h>

#include "heap/regions.h"
#include "unit/profile/chance.h"

#define BASE	 0x7f0000000000ULL
#define PAGE	 REGION_PAGE
#define AT(page) (BASE + (page)*PAGE)

static struct regions regions;
static struct quota_share share;
static u64 now_ns;

static int setup(void **state)
{
	(void)state;
	regions = (struct regions){0};
	share = (struct quota_share){0};
	now_ns = 1000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	regions_release(&regions);
	return 0;
}

/* A call that is entered and returns now, unless it says when it was entered. */
static void apply(struct event_region event, u64 stack)
{
	event.header.kind = EVENT_REGION;
	if (!event.entered_ns)
		event.entered_ns = ++now_ns;
	event.header.time_ns = ++now_ns;
	assert_int_equal(regions_apply(&regions, &event, stack, &share), 0);
}

static void map(u64 addr, u64 size, u64 stack)
{
	apply((struct event_region){.call = REGION_MMAP, .addr = addr, .size = size}, stack);
}

static void unmap(u64 addr, u64 size)
{
	apply((struct event_region){.call = REGION_MUNMAP, .addr = addr, .size = size}, 0);
}

static void remap(u64 old_addr, u64 old_size, u64 addr, u64 size, u32 flags, u64 stack)
{
	apply((struct event_region){.call = REGION_MREMAP,
				    .addr = addr,
				    .size = size,
				    .old_addr = old_addr,
				    .old_size = old_size,
				    .flags = flags},
	      stack);
}

static const struct region_site *site(u64 stack, u64 pages)
{
	struct region_site_key key = {.stack = stack, .size = pages * PAGE};
	struct region_site *found;

	HASH_FIND(hh, regions.sites, &key, sizeof(key), found);
	return found;
}

static void assert_site(u64 stack, u64 pages, u64 mapped, u64 living)
{
	const struct region_site *found = site(stack, pages);

	assert_non_null(found);
	assert_int_equal(found->mapped_count, mapped);
	assert_int_equal(found->living_count, living);
}

static void assert_mapped(u64 pages)
{
	assert_int_equal(regions.mapped_bytes - regions.unmapped_bytes, pages * PAGE);
}

static void test_regions_map_and_unmap_counts_whole_pages(void **state)
{
	(void)state;
	map(AT(0), 1, 7);
	map(AT(1), PAGE + 1, 7);
	assert_site(7, 1, 1, 1);
	assert_site(7, 2, 1, 1);
	unmap(AT(1), 5000);
	assert_site(7, 2, 1, 0);
	assert_mapped(1);
	assert_int_equal(regions.unpaired_count, 0);
	assert_int_equal(regions.partial_count, 0);
}

static void test_regions_unmap_of_the_middle_leaves_one_region_of_two_parts(void **state)
{
	(void)state;
	map(AT(0), 10 * PAGE, 7);
	unmap(AT(4), 2 * PAGE);
	assert_site(7, 10, 1, 0);
	assert_site(7, 8, 0, 1);
	unmap(AT(0), 4 * PAGE);
	assert_null(site(7, 8));
	assert_site(7, 4, 0, 1);
	assert_int_equal(regions.partial_count, 1);
	unmap(AT(6), 4 * PAGE);
	assert_null(site(7, 4));
	assert_mapped(0);
	assert_int_equal(regions.extent_count, 0);
}

static void test_regions_unmap_over_several_takes_parts_of_both_ends(void **state)
{
	(void)state;
	map(AT(0), 4 * PAGE, 1);
	map(AT(4), 4 * PAGE, 2);
	map(AT(8), 4 * PAGE, 3);
	unmap(AT(3), 6 * PAGE);
	assert_site(1, 3, 0, 1);
	assert_site(2, 4, 1, 0);
	assert_site(3, 3, 0, 1);
	assert_mapped(6);
}

static void test_regions_unmap_of_the_unknown_is_unpaired(void **state)
{
	(void)state;
	unmap(AT(100), PAGE);
	map(AT(0), PAGE, 1);
	unmap(AT(0), 2 * PAGE);
	assert_int_equal(regions.unpaired_count, 2);
	assert_mapped(0);
}

static void test_regions_map_over_another_replaces_what_was_there(void **state)
{
	(void)state;
	map(AT(0), 8 * PAGE, 1);
	map(AT(2), 3 * PAGE, 2);
	assert_site(1, 5, 0, 1);
	assert_site(2, 3, 1, 1);
	assert_mapped(8);
	assert_int_equal(regions.unpaired_count, 0);
}

/* Another thread has got the place before the call that gave it back has returned. */
static void test_regions_unmap_told_late_spares_what_was_born_meanwhile(void **state)
{
	u64 entered_ns;

	(void)state;
	map(AT(0), 4 * PAGE, 1);
	entered_ns = ++now_ns;
	map(AT(1), PAGE, 2);
	apply((struct event_region){.call = REGION_MUNMAP, .addr = AT(0), .size = 4 * PAGE, .entered_ns = entered_ns},
	      0);
	assert_site(2, 1, 1, 1);
	assert_mapped(1);
	assert_int_equal(regions.unpaired_count, 0);
}

static void test_regions_remap_in_place_grows_under_the_new_stack(void **state)
{
	(void)state;
	map(AT(0), 2 * PAGE, 1);
	remap(AT(0), 2 * PAGE, AT(0), 6 * PAGE, 0, 2);
	assert_site(1, 2, 1, 0);
	assert_site(2, 6, 1, 1);
	assert_mapped(6);
}

static void test_regions_remap_in_place_shrinks_under_the_old_stack(void **state)
{
	(void)state;
	map(AT(0), 6 * PAGE, 1);
	remap(AT(0), 6 * PAGE, AT(0), 6 * PAGE, 0, 2);
	assert_site(1, 6, 1, 1);
	remap(AT(0), 6 * PAGE, AT(0), PAGE + 1, 0, 2);
	assert_site(1, 2, 0, 1);
	assert_null(site(2, 2));
	assert_mapped(2);
}

static void test_regions_remap_elsewhere_takes_the_old_place_away(void **state)
{
	(void)state;
	map(AT(0), 4 * PAGE, 1);
	map(AT(50), 4 * PAGE, 3);
	remap(AT(1), 2 * PAGE, AT(50), 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, 2);
	assert_site(1, 2, 0, 1);
	assert_site(2, 3, 1, 1);
	assert_site(3, 1, 0, 1);
	assert_mapped(6);
}

static void test_regions_remap_that_leaves_the_old_place_maps_twice(void **state)
{
	(void)state;
	map(AT(0), 4 * PAGE, 1);
	remap(AT(0), 4 * PAGE, AT(50), 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 2);
	remap(AT(0), 0, AT(80), 4 * PAGE, MREMAP_MAYMOVE, 3);
	assert_mapped(12);
}

static void set_break(u64 before, u64 now, u64 stack)
{
	apply((struct event_region){.call = REGION_BRK, .old_addr = before, .addr = now}, stack);
}

static void test_regions_break_grows_and_shrinks_by_pages(void **state)
{
	(void)state;
	set_break(AT(0) + 10, AT(3) + 1, 1);
	assert_site(1, 3, 1, 1);
	set_break(AT(3) + 1, AT(3) + 2, 1);
	set_break(AT(3) + 2, AT(8), 2);
	assert_site(2, 4, 1, 1);
	set_break(AT(8), AT(2) + 5, 0);
	assert_site(1, 2, 0, 1);
	assert_site(2, 4, 1, 0);
	assert_mapped(2);
}

static void attach(u64 addr, u64 size, u64 stack)
{
	apply((struct event_region){.call = REGION_SHMAT, .addr = addr, .size = size}, stack);
}

static void test_regions_detach_takes_what_is_left_of_the_segment_alone(void **state)
{
	(void)state;
	attach(AT(0), 8 * PAGE, 1);
	map(AT(3), 2 * PAGE, 2);
	map(AT(8), PAGE, 3);
	apply((struct event_region){.call = REGION_SHMDT, .addr = AT(0)}, 0);
	assert_site(1, 8, 1, 0);
	assert_site(2, 2, 1, 1);
	assert_site(3, 1, 1, 1);
	assert_mapped(3);
	apply((struct event_region){.call = REGION_SHMDT, .addr = AT(3)}, 0);
	apply((struct event_region){.call = REGION_SHMDT, .addr = AT(90)}, 0);
	assert_mapped(3);
	assert_int_equal(regions.unpaired_count, 2);
}

static void test_regions_detach_of_a_segment_without_its_first_pages(void **state)
{
	(void)state;
	attach(AT(0), 8 * PAGE, 1);
	unmap(AT(0), PAGE);
	map(AT(1), PAGE, 2);
	apply((struct event_region){.call = REGION_SHMDT, .addr = AT(0)}, 0);
	assert_site(1, 8, 1, 0);
	assert_site(2, 1, 1, 1);
	assert_mapped(1);
	assert_int_equal(regions.unpaired_count, 0);
}

static void test_regions_beyond_the_limit_of_sites_have_no_stack(void **state)
{
	struct quota quota = {.max = 1};

	(void)state;
	share.quota = &quota;
	map(AT(0), PAGE, 1);
	map(AT(1), PAGE, 2);
	map(AT(2), PAGE, 1);
	assert_site(1, 1, 2, 2);
	assert_site(0, 1, 1, 1);
	assert_mapped(3);
}

static void test_regions_of_sizes_that_wrap_are_none(void **state)
{
	(void)state;
	map(AT(0), UINT64_MAX, 1);
	map(UINT64_MAX - PAGE + 1, 4 * PAGE, 1);
	unmap(UINT64_MAX - 10, 4 * PAGE);
	map(AT(0), 0, 1);
	assert_int_equal(regions.extent_count, 0);
	assert_mapped(0);
}

/* --- the model: each page knows whose it is --- */

#define PAGES  200
#define IDS    60000
#define STACKS 4

static struct {
	u32 owner[PAGES]; /* id; 0: nobody's */
	u32 count;
	struct {
		u32 stack, pages, left, start;
		bool segment;
	} id[IDS];
	u64 mapped, unmapped, unpaired;
} model;

static void model_clear(u32 first, u32 end, bool counts)
{
	bool hole = false;

	for (u32 page = first; page < end; page++) {
		u32 owner = model.owner[page];

		hole |= !owner;
		if (!owner)
			continue;
		model.id[owner].left--;
		model.unmapped++;
		model.owner[page] = 0;
	}
	model.unpaired += counts && hole;
}

static void model_map(u32 first, u32 end, u32 stack, bool segment)
{
	u32 id = ++model.count;

	assert_true(id < IDS);
	model_clear(first, end, false);
	model.id[id].stack = stack;
	model.id[id].pages = model.id[id].left = end - first;
	model.id[id].start = first;
	model.id[id].segment = segment;
	model.mapped += end - first;
	for (u32 page = first; page < end; page++)
		model.owner[page] = id;
}

static void model_detach(u32 first)
{
	u32 id = 0;

	for (u32 page = first; page < PAGES && !id; page++)
		if (model.id[model.owner[page]].segment && model.id[model.owner[page]].start == first)
			id = model.owner[page];
	if (!id) {
		model.unpaired++;
		return;
	}
	for (u32 page = 0; page < PAGES; page++)
		if (model.owner[page] == id)
			model_clear(page, page + 1, false);
}

/* For each stack and size: how many were born, and how many are left. */
static void assert_as_model(void)
{
	static u32 mapped[STACKS + 1][PAGES + 1], living[STACKS + 1][PAGES + 1];

	memset(mapped, 0, sizeof(mapped));
	memset(living, 0, sizeof(living));
	for (u32 id = 1; id <= model.count; id++) {
		mapped[model.id[id].stack][model.id[id].pages]++;
		living[model.id[id].stack][model.id[id].left] += model.id[id].left > 0;
	}
	for (u32 stack = 1; stack <= STACKS; stack++)
		for (u32 pages = 1; pages <= PAGES; pages++) {
			const struct region_site *found = site(stack, pages);

			assert_int_equal(found ? found->mapped_count : 0, mapped[stack][pages]);
			assert_int_equal(found ? found->living_count : 0, living[stack][pages]);
		}
	assert_int_equal(regions.mapped_bytes, model.mapped * PAGE);
	assert_int_equal(regions.unmapped_bytes, model.unmapped * PAGE);
	assert_int_equal(regions.unpaired_count, model.unpaired);
}

static void remap_both(u32 from, u32 old_pages, u32 to, u32 pages, u32 stack)
{
	remap(AT(from), old_pages * PAGE, AT(to), pages * PAGE, MREMAP_MAYMOVE, stack);
	if (from == to && pages <= old_pages) {
		if (pages < old_pages)
			model_clear(from + pages, from + old_pages, true);
		return;
	}
	model_clear(from, from + old_pages, true);
	model_map(to, to + pages, stack, false);
}

/* A few pages, from `first` on. */
static u32 some_pages(u64 *chance, u32 first)
{
	return 1 + chance_below(chance, PAGES - first < 20 ? PAGES - first : 20);
}

static void act(u64 *chance)
{
	u32 first = chance_below(chance, PAGES), pages = some_pages(chance, first),
	    stack = 1 + chance_below(chance, STACKS);
	u32 to = chance_below(chance, 2) ? first : chance_below(chance, PAGES);

	switch (chance_below(chance, 8)) {
	case 0:
	case 1:
		map(AT(first), pages * PAGE, stack);
		model_map(first, first + pages, stack, false);
		break;
	case 2:
		attach(AT(first), pages * PAGE, stack);
		model_map(first, first + pages, stack, true);
		break;
	case 3:
		apply((struct event_region){.call = REGION_SHMDT, .addr = AT(first)}, 0);
		model_detach(first);
		break;
	case 4:
		remap_both(first, pages, to, some_pages(chance, to), stack);
		break;
	default:
		unmap(AT(first), pages * PAGE);
		model_clear(first, first + pages, true);
		break;
	}
}

static void test_regions_agree_with_a_model_of_pages(void **state)
{
	u64 chance = 1;

	(void)state;
	memset(&model, 0, sizeof(model));
	for (u32 step = 0; step < 40000; step++) {
		act(&chance);
		if (step % 20 == 0)
			assert_as_model();
	}
	unmap(AT(0), PAGES * PAGE);
	model_clear(0, PAGES, true);
	assert_as_model();
	assert_int_equal(regions.extent_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_regions_map_and_unmap_counts_whole_pages),
		TEST(test_regions_unmap_of_the_middle_leaves_one_region_of_two_parts),
		TEST(test_regions_unmap_over_several_takes_parts_of_both_ends),
		TEST(test_regions_unmap_of_the_unknown_is_unpaired),
		TEST(test_regions_map_over_another_replaces_what_was_there),
		TEST(test_regions_unmap_told_late_spares_what_was_born_meanwhile),
		TEST(test_regions_remap_in_place_grows_under_the_new_stack),
		TEST(test_regions_remap_in_place_shrinks_under_the_old_stack),
		TEST(test_regions_remap_elsewhere_takes_the_old_place_away),
		TEST(test_regions_remap_that_leaves_the_old_place_maps_twice),
		TEST(test_regions_break_grows_and_shrinks_by_pages),
		TEST(test_regions_detach_takes_what_is_left_of_the_segment_alone),
		TEST(test_regions_detach_of_a_segment_without_its_first_pages),
		TEST(test_regions_beyond_the_limit_of_sites_have_no_stack),
		TEST(test_regions_of_sizes_that_wrap_are_none),
		TEST(test_regions_agree_with_a_model_of_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
