/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/memory_parts.h"

#include <math.h>
#include <string.h>

const char *const memory_part_names[MEMORY_PART_MAX] = {
	[MEMORY_HEAP] = "heap",	    [MEMORY_STACKS] = "stacks", [MEMORY_FILES] = "files",
	[MEMORY_SHARED] = "shared", [MEMORY_OTHERS] = "others",
};

const char memory_unnamed[] = "without a name", memory_made_code[] = "code made at run time";

void memory_count(struct memory_amount *sum, const struct memory_amount *more)
{
	sum->resident += more->resident;
	sum->swap += more->swap;
	sum->hugetlb += more->hugetlb;
}

struct memory_amount memory_sum(const struct memory_parts *parts)
{
	struct memory_amount sum = {0};

	for (unsigned int i = 0; i < MEMORY_PART_MAX; i++)
		memory_count(&sum, &parts->part[i]);
	return sum;
}

u64 memory_kept(const struct memory_parts *parts)
{
	u64 resident = parts->part[MEMORY_HEAP].resident;

	return resident > parts->inuse ? resident - parts->inuse : 0;
}

u64 memory_free(const struct memory_parts *parts)
{
	u64 kept = memory_kept(parts);

	return parts->free < kept ? parts->free : kept;
}

u64 memory_untouched(const struct memory_parts *parts)
{
	u64 resident = parts->part[MEMORY_HEAP].resident;

	return parts->inuse > resident ? parts->inuse - resident : 0;
}

static u64 size_of(const struct memory_other *other)
{
	return other->amount.resident + other->amount.swap + other->amount.hugetlb;
}

/* Up to where it belongs by size. */
static void rise(struct memory_other *others, u32 place)
{
	struct memory_other other = others[place];

	for (; place && size_of(&others[place - 1]) < size_of(&other); place--)
		others[place] = others[place - 1];
	others[place] = other;
}

void memory_add_other(struct memory_parts *parts, const struct memory_other *other)
{
	u32 place = 0;

	while (place < parts->other_count && strcmp(parts->others[place].name, other->name))
		place++;
	if (place < parts->other_count) {
		parts->others[place].mappings += other->mappings;
		memory_count(&parts->others[place].amount, &other->amount);
	} else if (place < MEMORY_OTHERS_MAX) {
		parts->others[parts->other_count++] = *other;
	} else if (size_of(other) > size_of(&parts->others[--place])) {
		parts->others[place] = *other;
	} else {
		return;
	}
	rise(parts->others, place);
}

void memory_add(struct memory_parts *sum, const struct memory_parts *more)
{
	if (!more->known)
		return;
	if (!sum->known)
		*sum = (struct memory_parts){.known = true, .inuse_known = true};
	sum->processes += more->processes;
	sum->read_unix_ns = more->read_unix_ns > sum->read_unix_ns ? more->read_unix_ns : sum->read_unix_ns;
	for (unsigned int i = 0; i < MEMORY_PART_MAX; i++)
		memory_count(&sum->part[i], &more->part[i]);
	for (u32 i = 0; i < more->other_count; i++)
		memory_add_other(sum, &more->others[i]);
	sum->stacks += more->stacks;
	sum->share += more->share;
	sum->heap_lazy += more->heap_lazy;
	sum->counter += more->counter;
	sum->inuse_known &= more->inuse_known;
	sum->inuse += more->inuse;
	sum->inuse_error = hypot(sum->inuse_error, more->inuse_error);
	sum->free_known |= more->free_known;
	sum->free += more->free;
}
