/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions against a model that keeps each page by itself. */
#include <string.h>
#include <sys/mman.h>

#include "region_calls.h"
#include "unit/profile/chance.h"

/* --- each page knows whose it is --- */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_regions_agree_with_a_model_of_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
