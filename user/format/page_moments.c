/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/page_moments.h"

#include <errno.h>
#include <stdlib.h>

#include "format/page_tree.h"
#include "view/call_tree_fold.h"

static u64 moment_of(const struct profile *profile, u64 start_unix_ns)
{
	u64 end = profile->start_unix_ns + profile->duration_ns;

	return end > start_unix_ns ? end - start_unix_ns : 0;
}

static int write_moment(const struct profile *profile, u64 at_ns, struct call_tree *tree, struct json *json)
{
	u64(*self)[MEASURE_MAX];
	int err = call_tree_fold(tree, profile, &self);

	if (err)
		return err;
	json_object(json, NULL);
	json_u64(json, "at_ns", at_ns);
	page_tree_write_values("self", self, tree->count, json);
	json_close(json);
	free(self);
	return 0;
}

static int add_moment(const struct profile *profile, u64 at_ns, struct call_tree *tree, struct timeline *timeline,
		      struct json *json)
{
	int err = timeline_add_profile(timeline, at_ns, profile);

	return err ? err : write_moment(profile, at_ns, tree, json);
}

/* One that cannot be read is left out. */
static int read_moment(const struct page_view *view, u32 index, u64 start_unix_ns, struct call_tree *tree,
		       struct timeline *timeline, struct json *json)
{
	struct profile *profile = NULL;
	int err = view->read_moment(index, view->arg, &profile);

	if (err == -ENOMEM)
		return err;
	if (err)
		return 0;
	err = add_moment(profile, moment_of(profile, start_unix_ns), tree, timeline, json);
	profile_free(profile);
	return err;
}

/* Without sites: one point is no history. */
static void add_totals(const struct profile *profile, u64 at_ns, struct timeline *timeline)
{
	struct timeline_point point = {.at_ns = at_ns, .rss_bytes = profile->exited ? 0 : profile->rss_end_bytes};

	profile_totals(profile, point.value);
	timeline_add(timeline, &point);
}

int page_moments_write(const struct page_view *view, u64 start_unix_ns, u32 max, struct call_tree *tree,
		       struct timeline *timeline, struct json *json)
{
	u64 now = moment_of(view->profile, start_unix_ns);
	u32 wanted = max ? max - 1 : 0;
	int err = 0;

	wanted = wanted < view->moment_count ? wanted : view->moment_count;
	json_rows(json, "moments");
	for (u32 i = 0; !err && i < wanted; i++)
		err = read_moment(view, timeline_pick(view->moment_count, wanted, i), start_unix_ns, tree, timeline,
				  json);
	if (!err && wanted)
		err = add_moment(view->profile, now, tree, timeline, json);
	else if (!err)
		add_totals(view->profile, now, timeline);
	json_close(json);
	return err;
}

void page_moments_write_timeline(const struct timeline *timeline, struct json *json)
{
	static const enum measure order[] = {INUSE_SPACE, INUSE_OBJECTS, ALLOC_SPACE, ALLOC_OBJECTS};

	json_array(json, "timeline");
	for (u32 i = 0; i < timeline->count; i++) {
		const struct timeline_point *point = &timeline->points[i];

		json_array(json, NULL);
		json_u64(json, NULL, point->at_ns);
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			json_u64(json, NULL, point->value[order[m]]);
		json_u64_if(json, NULL, point->rss_bytes, point->rss_bytes);
		json_close(json);
	}
	json_close(json);
}
