/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The earlier moments of a view, each read once: for the timeline, and for what the tree's nodes had at it. */
#include "base/json.h"
#include "format/page_view.h"
#include "view/call_tree.h"
#include "view/timeline.h"

/*
 * "moments": up to `max`, spread evenly, the last of them now; none if there is but now. Their totals and sites are added to the
 * timeline; if there is but now, its totals. `start_unix_ns` is when the recording began. 0 or -ENOMEM.
 */
int page_moments_write(const struct page_view *view, u64 start_unix_ns, u32 max, struct call_tree *tree,
		       struct timeline *timeline, struct json *json);

/* "timeline": [[at_ns, bytes and objects in use, bytes and objects allocated, resident bytes or null], ...] */
void page_moments_write_timeline(const struct timeline *timeline, struct json *json);
