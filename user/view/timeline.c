/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* Point i is the one that was added as number i * stride, but for the last. */
static void halve(struct timeline *timeline)
{
	for (u32 i = 0; i < TIMELINE_POINTS / 2; i++) {
		timeline->points[i] = timeline->points[2 * i];
		for (u32 site = 0; site < timeline->site_count; site++)
			timeline->inuse[site][i] = timeline->inuse[site][2 * i];
	}
	timeline->count = TIMELINE_POINTS / 2;
	timeline->stride *= 2;
}

static void clear_point(struct timeline *timeline, u32 point)
{
	for (u32 site = 0; site < timeline->site_count; site++)
		timeline->inuse[site][point] = 0;
}

void timeline_add(struct timeline *timeline, const struct timeline_point *point)
{
	timeline->stride = timeline->stride ? timeline->stride : 1;
	if (timeline->count && (timeline->added - 1) % timeline->stride)
		timeline->count--;
	if (timeline->count == TIMELINE_POINTS)
		halve(timeline);
	clear_point(timeline, timeline->count);
	timeline->points[timeline->count++] = *point;
	timeline->added++;
}

/* Add a site to the last point. */
static int add_site(struct timeline *timeline, const struct profile *profile, const struct profile_site *site)
{
	u32 number;

	if (site_table_number(&timeline->sites, profile, site, &number))
		return -ENOMEM;
	while (timeline->site_count <= number) {
		if (array_grow(&timeline->inuse, timeline->site_count, 1))
			return -ENOMEM;
		memset(timeline->inuse[timeline->site_count++], 0, sizeof(*timeline->inuse));
	}
	timeline->inuse[number][timeline->count - 1] += site->value[INUSE_SPACE];
	return 0;
}

int timeline_add_profile(struct timeline *timeline, u64 at_ns, const struct profile *profile)
{
	struct timeline_point point = {.at_ns = at_ns, .rss_bytes = profile->exited ? 0 : profile->rss_end_bytes};
	struct profile_site *sites;
	u32 count;
	int err = profile_sites_with(profile, INUSE_SPACE, SITES_LIFETIMES_NONE, &sites, &count);

	if (err)
		return err;
	profile_totals(profile, point.value);
	timeline_add(timeline, &point);
	for (u32 i = 0; !err && i < count; i++)
		err = add_site(timeline, profile, &sites[i]);
	site_table_forget(&timeline->sites);
	free(sites);
	return err;
}

const u64 *timeline_history(struct timeline *timeline, const struct profile *profile, const struct profile_site *site)
{
	u32 number;
	int err = site_table_number(&timeline->sites, profile, site, &number);

	site_table_forget(&timeline->sites);
	return err || number >= timeline->site_count ? NULL : timeline->inuse[number];
}

void timeline_release(struct timeline *timeline)
{
	site_table_release(&timeline->sites);
	free(timeline->inuse);
}

u32 timeline_pick(u32 count, u32 wanted, u32 i)
{
	return (u32)((i + 1ULL) * count / wanted) - 1;
}
