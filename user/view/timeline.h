/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How a heap has changed while it was recorded: its totals at some moments, and what each site had in use at them. Points are
 * added as they come, for as long as it may take: when there are too many, every second one is dropped. The last point is
 * always that which was added last.
 */
#include "view/site_table.h"

#define TIMELINE_POINTS 60

struct timeline_point {
	u64 at_ns; /* since the start of the recording */
	u64 value[MEASURE_MAX];
	u64 rss_bytes; /* 0: unknown */
};

/* Valid when zeroed. */
struct timeline {
	struct timeline_point points[TIMELINE_POINTS];
	u32 count;
	u64 added, stride; /* of those added, every stride-th is kept, and the last; 0 stands for 1 */
	struct site_table sites;
	u64 (*inuse)[TIMELINE_POINTS]; /* bytes, by the number of the site; 0 in points before it was seen */
	u32 site_count;
};

/* The totals alone, of one process or of several. */
void timeline_add(struct timeline *timeline, const struct timeline_point *point);

/* The totals of a profile, and its sites. 0 or -ENOMEM. */
int timeline_add_profile(struct timeline *timeline, u64 at_ns, const struct profile *profile);

/* The bytes that a site has in use at each of the points, until the next one is added. NULL: it is in none. */
const u64 *timeline_history(struct timeline *timeline, const struct profile *profile, const struct profile_site *site);

void timeline_release(struct timeline *timeline);

/* The index of the i-th of `wanted` moments that are spread evenly over `count`, and end with the last. */
u32 timeline_pick(u32 count, u32 wanted, u32 i);
