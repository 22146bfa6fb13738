/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/blob/objects.h"

#include "inline/blob/image.h"

static u64 moving_entry_of(u64 pointer)
{
	return sampler_entry(pointer) | SAMPLER_ENTRY_MOVING;
}

/* A byte that has come to the most that it can count stays: it only sends more calls this way. */
static void filter_add(u64 pointer, u8 change)
{
	u8 *byte = &sampler_filter[sampler_filter_index(pointer)], old = __atomic_load_n(byte, __ATOMIC_RELAXED);

	while (old != SAMPLER_FILTER_FULL &&
	       !__atomic_compare_exchange_n(byte, &old, (u8)(old + change), false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static u64 *bucket(u64 pointer)
{
	return &sampler_table[sampler_bucket_index(pointer, sampler_config.table_bits)];
}

/* Change one entry of the pointer's bucket from `old` to `new`. False: none is `old`. */
static bool exchange(u64 pointer, u64 old, u64 new)
{
	u64 *entries = bucket(pointer);

	for (u32 i = 0; i < SAMPLER_BUCKET; i++) {
		u64 expected = old;

		if (__atomic_load_n(&entries[i], __ATOMIC_RELAXED) == old &&
		    __atomic_compare_exchange_n(&entries[i], &expected, new, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

/* The first look at a page would map one of zeros, and the first entry in it a page of its own: that is one page fault if it is written to. */
static void touch(u64 *entries)
{
	__atomic_fetch_or(entries, 0, __ATOMIC_RELAXED);
}

/* The allocator has freed an object in a way that is not seen, if its pointer is handed out again. */
bool objects_add(u64 pointer)
{
	touch(bucket(pointer));
	if (exchange(pointer, sampler_entry(pointer), sampler_entry(pointer)))
		return true;
	if (!exchange(pointer, 0, sampler_entry(pointer)))
		return false;
	filter_add(pointer, 1);
	return true;
}

static bool take_out(u64 pointer, u64 entry)
{
	if (!exchange(pointer, entry, 0))
		return false;
	filter_add(pointer, (u8)-1);
	return true;
}

bool objects_remove(u64 pointer)
{
	return take_out(pointer, sampler_entry(pointer));
}

bool objects_begin_move(u64 pointer)
{
	return exchange(pointer, sampler_entry(pointer), moving_entry_of(pointer));
}

void objects_end_move(u64 pointer, bool gone)
{
	if (gone)
		take_out(pointer, moving_entry_of(pointer));
	else
		exchange(pointer, moving_entry_of(pointer), sampler_entry(pointer));
}
