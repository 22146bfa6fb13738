/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/stack_split.h"

#include <string.h>

#include "base/array.h"

static bool is_guard(const struct smaps_area *area)
{
	return !area->readable && !area->writable && !area->executable && !area->file;
}

/* The process chooses its limit, and with it the size: there may be no such address. */
static bool holds_both(const struct smaps_area *guard, const struct smaps_area *area, const u64 *pointers, u32 count,
		       u64 stack_bytes)
{
	u64 half = area->start + stack_bytes / 2, end = area->start + stack_bytes;

	return guard->end == area->start && is_guard(guard) && !area->stack && !area->file && !*area->name &&
	       stack_bytes < area->end - area->start &&
	       array_count_upto(pointers, count, end - 1) != array_count_upto(pointers, count, half);
}

static u64 least(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* What is above `at` stays in `area`; the part below is returned. */
static struct smaps_area cut(struct smaps_area *area, u64 at, u64 resident, u64 swapped)
{
	struct smaps_area lower = *area;

	lower.end = area->start = at;
	lower.resident = least(resident, area->resident);
	lower.swap = least(swapped, area->swap);
	lower.share = area->resident ? (u64)((double)area->share * (double)lower.resident / (double)area->resident) : 0;
	lower.lazy = lower.hugetlb = 0;
	area->resident -= lower.resident;
	area->swap -= lower.swap;
	area->share -= lower.share;
	area->lazy = least(area->lazy, area->resident);
	return lower;
}

/* The area becomes two, of which the first is the stack. */
static int split_area(struct smaps *smaps, u32 index, u64 at, stack_split_count *count, void *arg)
{
	struct smaps_area *area = &smaps->areas[index];
	u64 resident, swapped;
	int err;

	if (!count(arg, area->start, at, &resident, &swapped))
		return 0;
	err = array_grow(&smaps->areas, smaps->count, 1);
	if (err)
		return err;
	area = &smaps->areas[index];
	memmove(area + 1, area, (smaps->count - index) * sizeof(*area));
	smaps->count++;
	area[0] = cut(&area[1], at, resident, swapped);
	return 0;
}

int stack_split(struct smaps *smaps, const u64 *pointers, u32 pointer_count, u64 stack_bytes, stack_split_count *count,
		void *arg)
{
	int err = 0;

	for (u32 i = 1; i < smaps->count && !err; i++) {
		const struct smaps_area *area = &smaps->areas[i];

		if (holds_both(area - 1, area, pointers, pointer_count, stack_bytes))
			err = split_area(smaps, i, area->start + stack_bytes, count, arg);
	}
	return err;
}
