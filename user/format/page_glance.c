/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/page_glance.h"

#include "format/page_figures.h"
#include "format/page_moments.h"
#include "format/page_sites.h"
#include "format/page_tree.h"
#include "view/call_tree_gather.h"

#define NODES 300 /* in a picture of 600 pixels each is at least two wide */
#define SITES 24  /* more than a window has room for */

static int write_pictures(const struct overview *overview, const struct call_tree *tree, struct timeline *timeline,
			  struct json *json)
{
	struct page_functions functions = {0};
	int err = page_tree_write_whole("tree", tree, &functions, json);

	json_array(json, "moments");
	json_close(json);
	page_moments_write_timeline(timeline, json);
	err = err ? err : page_sites_write_first(overview, timeline, SITES, &functions, json);
	page_functions_write(&functions, json);
	page_functions_release(&functions);
	return err;
}

int page_glance_write(const struct page *page, const struct page_view *view, const struct overview *overview,
		      struct call_tree *tree, struct timeline *timeline)
{
	struct json json;
	int err = call_tree_gather(tree, 1.0 / NODES, NODES), written;

	json_begin_in_page(&json, view->glance);
	err = err ? err : page_figures_write(page, view, overview, &json);
	err = err ? err : write_pictures(overview, tree, timeline, &json);
	written = json_end(&json);
	return err ? err : written;
}
