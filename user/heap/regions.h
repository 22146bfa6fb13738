/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What of an image's memory was mapped by system calls that were seen (struct event_region), page by page, and by which stack. A region is
 * what one call has mapped; it may be unmapped in parts. Invariants after every call: no page is in two regions, and what was mapped,
 * less what was unmapped, is what the regions have, per stack and in sum.
 *
 * A region that is resized in place by making it smaller stays what it was; one that grows or moves ends, and another is born.
 */
#include "base/hash.h"
#include "base/quota.h"
#include "include/event.h"

#define REGION_PAGE 4096ULL

struct region_site_key {
	u64 stack; /* hash, 0: unknown */
	u64 size;
};

/* Regions of one stack and size. One of which a part has gone is among those of the size that is left. */
struct region_site {
	struct region_site_key key;
	u64 mapped_count; /* born with that size */
	u64 living_count; /* that have it now */
	UT_hash_handle hh;
};

struct region_extent;

struct regions {
	struct region_extent *extents; /* by address; they do not overlap */
	u32 extent_count;
	struct region_site *sites;
	u64 mapped_bytes, unmapped_bytes; /* in all; what is mapped now is the difference */
	u64 unpaired_count;		  /* calls that unmapped what no call was seen to map */
	u64 partial_count;		  /* regions of which a part was unmapped */
	u64 no_room_count;		  /* regions booked to no stack because no share was left */
};

/* Valid when zeroed. */
void regions_release(struct regions *regions);

/*
 * Apply a call. `stack` is the one to book what it mapped to. Sites take their share of the limit of all; without one a region is booked to
 * those of its size without a stack. 0 or -ENOMEM: then what the call did may be known in part.
 */
int regions_apply(struct regions *regions, const struct event_region *event, u64 stack, struct quota_share *share);
