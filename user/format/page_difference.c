/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/page_difference.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "format/page_tree.h"
#include "format/site_label.h"
#include "view/call_tree.h"
#include "view/call_tree_fold.h"
#include "view/call_tree_gather.h"
#include "view/difference.h"

#define NODES_MAX     4000
#define LABEL_COLUMNS 200

struct detail {
	u32 nodes, sites;
};

/* In a picture of 600 pixels each of 300 boxes is at least two wide; 24 sites are more than a window has room for. */
static const struct detail all = {.nodes = NODES_MAX, .sites = 500};
static const struct detail first = {.nodes = 300, .sites = 24};

static void write_profile(const char *name, const struct profile *profile, const char *shown, struct json *json)
{
	json_object(json, name);
	json_text(json, "name", shown);
	json_u64(json, "pid", profile->pid);
	json_text(json, "comm", profile->comm);
	json_u64_text(json, "start_unix_ns", profile->start_unix_ns);
	json_u64(json, "duration_ns", profile->duration_ns);
	json_u64(json, "sample_bytes", profile->sample_bytes);
	json_bool(json, "alloc_only", profile->alloc_only);
	json_close(json);
}

/* --- sites --- */

/* Bytes and objects are whole numbers. */
static void write_change(const double change[MEASURE_MAX], struct json *json)
{
	json_array(json, "change");
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		json_s64(json, NULL, (s64)change[m]);
	json_close(json);
}

static void write_amounts(const struct difference_site *site, struct json *json)
{
	write_change(site->change, json);
	json_array(json, "error");
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		json_double(json, NULL, site->change_error[m]);
	json_close(json);
}

static void write_values(const char *name, const struct profile_site *site, struct json *json)
{
	if (site)
		page_tree_write_measures(name, site->value, json);
	else
		json_null(json, name);
}

static void write_site(const struct difference *difference, const struct difference_site *site, struct json *json)
{
	char label[SITE_LABEL_SIZE];

	json_object(json, NULL);
	json_text(json, "state", difference_state_name(site->state));
	json_text(json, "label",
		  site->after ? site_label(difference->after, site->after, LABEL_COLUMNS, label)
			      : site_label(difference->before, site->before, LABEL_COLUMNS, label));
	write_values("before", site->before, json);
	write_values("after", site->after, json);
	write_amounts(site, json);
	json_close(json);
}

/* What the others have changed together. */
static void write_rest(const struct difference *difference, u32 first, struct json *json)
{
	double change[MEASURE_MAX] = {0};

	if (first >= difference->count)
		return;
	for (u32 i = first; i < difference->count; i++)
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			change[m] += difference->sites[i].change[m];
	json_object(json, NULL);
	json_u64(json, "gathered", difference->count - first);
	write_change(change, json);
	json_close(json);
}

/* How many sites are in each state, and what they have changed together. */
static void write_states(const struct difference *difference, struct json *json)
{
	double change[DIFFERENCE_SHRUNK + 1][MEASURE_MAX] = {0};
	u32 count[DIFFERENCE_SHRUNK + 1] = {0};

	for (u32 i = 0; i < difference->count; i++) {
		const struct difference_site *site = &difference->sites[i];

		count[site->state]++;
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			change[site->state][m] += site->change[m];
	}
	json_object(json, "states");
	for (unsigned int state = 0; state <= DIFFERENCE_SHRUNK; state++) {
		json_object(json, difference_state_name(state));
		json_u64(json, "count", count[state]);
		write_change(change[state], json);
		json_close(json);
	}
	json_close(json);
}

static void write_sites(const struct difference *difference, u32 sites_max, struct json *json)
{
	json_object(json, "sum");
	write_amounts(&difference->sum, json);
	json_close(json);
	write_states(difference, json);
	json_rows(json, "sites");
	for (u32 i = 0; i < difference->count && i < sites_max; i++)
		write_site(difference, &difference->sites[i], json);
	write_rest(difference, sites_max, json);
	json_close(json);
}

/* --- tree --- */

static int write_self(const char *name, struct call_tree *tree, const struct profile *profile, struct json *json)
{
	u64(*self)[MEASURE_MAX];
	int err = call_tree_fold(tree, profile, &self);

	if (err)
		return err;
	page_tree_write_values(name, self, tree->count, json);
	free(self);
	return 0;
}

/* The nodes of both profiles. */
static int make_tree(const struct page_pair *pair, struct call_tree *ret_tree)
{
	const struct profile *profiles[] = {pair->before, pair->after};
	bool inuse = !pair->before->alloc_only && !pair->after->alloc_only;

	return call_tree_make_of(profiles, 2, CALL_TREE_ROOT, inuse ? INUSE_SPACE : ALLOC_SPACE, 1.0 / NODES_MAX,
				 ret_tree);
}

/* The tree is gathered to so many nodes. */
static int write_tree(const struct page_pair *pair, struct call_tree *tree, u32 nodes_max, struct json *json)
{
	struct page_functions functions = {0};
	int err = call_tree_gather(tree, 1.0 / nodes_max, nodes_max);

	json_object(json, "tree");
	err = err ? err : page_tree_write(tree, &functions, json);
	err = err ? err : write_self("before_self", tree, pair->before, json);
	err = err ? err : write_self("after_self", tree, pair->after, json);
	json_close(json);
	page_functions_write(&functions, json);
	page_functions_release(&functions);
	return err;
}

/* --- all --- */

static int write_pair(const struct page_pair *pair, const struct difference *difference, struct call_tree *tree,
		      const struct detail *detail, FILE *out)
{
	struct json json;
	int err, written;

	json_begin_in_page(&json, out);
	write_profile("before", pair->before, pair->before_name, &json);
	write_profile("after", pair->after, pair->after_name, &json);
	write_sites(difference, detail->sites, &json);
	err = write_tree(pair, tree, detail->nodes, &json);
	written = json_end(&json);
	return err ? err : written;
}

int page_difference_write(const struct page_pair *pair, FILE *whole, FILE *glance)
{
	struct difference difference;
	struct call_tree tree = {0};
	int err = difference_make(pair->before, pair->after, &difference);

	err = err ? err : make_tree(pair, &tree);
	err = err ? err : write_pair(pair, &difference, &tree, &all, whole);
	err = err ? err : write_pair(pair, &difference, &tree, &first, glance);
	call_tree_release(&tree);
	difference_release(&difference);
	return err;
}
