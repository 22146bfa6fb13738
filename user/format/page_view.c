/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/page_view.h"

#include <errno.h>
#include <stdlib.h>

#include "format/page_data.h"
#include "format/page_figures.h"
#include "format/page_glance.h"
#include "format/page_moments.h"
#include "format/page_plain.h"
#include "format/page_sites.h"
#include "format/page_tree.h"
#include "view/call_tree.h"
#include "view/call_tree_gather.h"

static int make_tree(const struct overview *overview, enum call_tree_order order, u32 nodes, struct call_tree *ret_tree)
{
	int err = call_tree_make_of(&overview->profile, 1, order, overview->by, 1.0 / nodes, ret_tree);

	return err ? err : call_tree_gather(ret_tree, 1.0 / nodes, nodes);
}

static int write_inverted(const struct overview *overview, u32 nodes, struct page_functions *functions,
			  struct json *json)
{
	struct call_tree tree;
	int err = make_tree(overview, CALL_TREE_LEAF, nodes, &tree);

	err = err ? err : page_tree_write_whole("inverted", &tree, functions, json);
	call_tree_release(&tree);
	return err;
}

/* The tree from the root on, and what its nodes had at earlier moments. */
static int write_upright(const struct page *page, const struct page_view *view, const struct overview *overview,
			 const struct page_detail *detail, struct page_functions *functions, struct timeline *timeline,
			 struct json *json)
{
	struct call_tree tree;
	int err = make_tree(overview, CALL_TREE_ROOT, detail->nodes, &tree);
	u32 moments;

	err = err ? err : page_tree_write_whole("tree", &tree, functions, json);
	if (!err) {
		moments = detail->rows / tree.count;
		moments = moments < detail->moments ? moments : detail->moments;
		err = page_moments_write(view, page->start_unix_ns, moments, &tree, timeline, json);
	}
	if (!err && view->glance)
		err = page_glance_write(page, view, overview, &tree, timeline);
	call_tree_release(&tree);
	return err;
}

static int write_pictures(const struct page *page, const struct page_view *view, const struct overview *overview,
			  const struct page_detail *detail, struct json *json)
{
	struct page_functions functions = {0};
	struct timeline *timeline = calloc(1, sizeof(*timeline));
	int err = timeline ? write_upright(page, view, overview, detail, &functions, timeline, json) : -ENOMEM;

	err = err ? err : write_inverted(overview, detail->nodes, &functions, json);
	if (!err) {
		page_moments_write_timeline(timeline, json);
		err = page_sites_write(overview, timeline, detail->sites, &functions, json);
	}
	page_functions_write(&functions, json);
	page_functions_release(&functions);
	if (timeline)
		timeline_release(timeline);
	free(timeline);
	return err;
}

int page_view_write(const struct page *page, const struct page_view *view, const struct page_detail *detail, FILE *out)
{
	struct overview overview;
	struct json json;
	int err = overview_make_brief(view->profile, &overview), written;

	json_begin_in_page(&json, out);
	err = err ? err : page_figures_write(page, view, &overview, &json);
	err = err ? err : write_pictures(page, view, &overview, detail, &json);
	if (!err && view->plain)
		page_plain_view(view, &overview, view->plain);
	overview_release(&overview);
	written = json_end(&json);
	return err ? err : written;
}
