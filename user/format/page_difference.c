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

#define SITES_MAX     500
#define NODES_MAX     4000
#define LABEL_COLUMNS 200

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

static void write_sites(const struct difference *difference, struct json *json)
{
	json_object(json, "sum");
	write_amounts(&difference->sum, json);
	json_close(json);
	json_rows(json, "sites");
	for (u32 i = 0; i < difference->count && i < SITES_MAX; i++)
		write_site(difference, &difference->sites[i], json);
	write_rest(difference, SITES_MAX, json);
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
static int write_tree(const struct difference *difference, struct json *json)
{
	const struct profile *profiles[] = {difference->before, difference->after};
	struct page_functions functions = {0};
	struct call_tree tree;
	bool inuse = !difference->before->alloc_only && !difference->after->alloc_only;
	int err = call_tree_make_of(profiles, 2, CALL_TREE_ROOT, inuse ? INUSE_SPACE : ALLOC_SPACE, 1.0 / NODES_MAX,
				    &tree);

	err = err ? err : call_tree_gather(&tree, 1.0 / NODES_MAX, NODES_MAX);
	json_object(json, "tree");
	err = err ? err : page_tree_write(&tree, &functions, json);
	err = err ? err : write_self("before_self", &tree, difference->before, json);
	err = err ? err : write_self("after_self", &tree, difference->after, json);
	json_close(json);
	page_functions_write(&functions, json);
	page_functions_release(&functions);
	call_tree_release(&tree);
	return err;
}

int page_difference_write(const struct profile *before, const char *before_name, const struct profile *after,
			  const char *after_name, FILE *out)
{
	struct difference difference;
	struct json json;
	int err = difference_make(before, after, &difference), written;

	json_begin_in_page(&json, out);
	write_profile("before", before, before_name, &json);
	write_profile("after", after, after_name, &json);
	if (!err) {
		write_sites(&difference, &json);
		err = write_tree(&difference, &json);
	}
	difference_release(&difference);
	written = json_end(&json);
	return err ? err : written;
}
