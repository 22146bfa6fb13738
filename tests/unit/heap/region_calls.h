/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Calls that map and unmap, one after the other, and what the regions are then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heap/regions.h"

#define BASE	 0x7f0000000000ULL
#define PAGE	 REGION_PAGE
#define AT(page) (BASE + (page)*PAGE)

static struct regions regions;
static struct quota_share share;
static u64 now_ns;

static inline int setup(void **state)
{
	(void)state;
	regions = (struct regions){0};
	share = (struct quota_share){0};
	now_ns = 1000;
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	regions_release(&regions);
	return 0;
}

/* A call that is entered and returns now, unless it says when it was entered. */
static inline void apply(struct event_region event, u64 stack)
{
	event.header.kind = EVENT_REGION;
	if (!event.entered_ns)
		event.entered_ns = ++now_ns;
	event.header.time_ns = ++now_ns;
	assert_int_equal(regions_apply(&regions, &event, stack, &share), 0);
}

static inline void map(u64 addr, u64 size, u64 stack)
{
	apply((struct event_region){.call = REGION_MMAP, .addr = addr, .size = size}, stack);
}

static inline void unmap(u64 addr, u64 size)
{
	apply((struct event_region){.call = REGION_MUNMAP, .addr = addr, .size = size}, 0);
}

static inline void remap(u64 old_addr, u64 old_size, u64 addr, u64 size, u32 flags, u64 stack)
{
	apply((struct event_region){.call = REGION_MREMAP,
				    .addr = addr,
				    .size = size,
				    .old_addr = old_addr,
				    .old_size = old_size,
				    .flags = flags},
	      stack);
}

static inline void attach(u64 addr, u64 size, u64 stack)
{
	apply((struct event_region){.call = REGION_SHMAT, .addr = addr, .size = size}, stack);
}

static inline const struct region_site *site(u64 stack, u64 pages)
{
	struct region_site_key key = {.stack = stack, .size = pages * PAGE};
	struct region_site *found;

	HASH_FIND(hh, regions.sites, &key, sizeof(key), found);
	return found;
}

static inline void assert_site(u64 stack, u64 pages, u64 mapped, u64 living)
{
	const struct region_site *found = site(stack, pages);

	assert_non_null(found);
	assert_int_equal(found->mapped_count, mapped);
	assert_int_equal(found->living_count, living);
}

static inline void assert_mapped(u64 pages)
{
	assert_int_equal(regions.mapped_bytes - regions.unmapped_bytes, pages * PAGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
