/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/discovery.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>

#include "base/stream.h"
#include "base/text.h"

static bool add_text(cJSON *object, const char *name, const char *text)
{
	char *clean = text_clean(text ? text : "");
	bool added = clean && cJSON_AddStringToObject(object, name, clean);

	free(clean);
	return added;
}

static bool add_labels(cJSON *labels, const struct profile *facts)
{
	char pid[16], prefix[32], metrics[48];

	snprintf(pid, sizeof(pid), "%u", facts->pid);
	snprintf(prefix, sizeof(prefix), "/pid/%u", facts->pid);
	snprintf(metrics, sizeof(metrics), "%s/metrics", prefix);
	return labels && add_text(labels, "__metrics_path__", metrics) &&
	       add_text(labels, "__profile_path_prefix__", prefix) && add_text(labels, "__param_pid", pid) &&
	       add_text(labels, "pid", pid) && add_text(labels, "comm", facts->comm) &&
	       (!facts->container || add_text(labels, "container_id", facts->container)) &&
	       (!facts->container_name || add_text(labels, "container", facts->container_name));
}

/* The list's from now on; false: no memory. */
static bool add_item(cJSON *list, cJSON *item)
{
	if (cJSON_AddItemToArray(list, item))
		return true;
	cJSON_Delete(item);
	return false;
}

static bool add_target(cJSON *list, const struct profile *facts, const char *address)
{
	cJSON *target = cJSON_CreateObject();

	if (!add_item(list, target))
		return false;
	return add_item(cJSON_AddArrayToObject(target, "targets"), cJSON_CreateString(address)) &&
	       add_labels(cJSON_AddObjectToObject(target, "labels"), facts);
}

/* By pid, the last image first. */
static int compare_pids(const void *a, const void *b)
{
	const struct profile *left = (*(const struct index_entry *const *)a)->facts;
	const struct profile *right = (*(const struct index_entry *const *)b)->facts;

	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	return left->image > right->image ? -1 : left->image < right->image;
}

static int compare_weight(const void *a, const void *b)
{
	const struct index_entry *left = *(const struct index_entry *const *)a;
	const struct index_entry *right = *(const struct index_entry *const *)b;

	if (left->total[INUSE_SPACE] != right->total[INUSE_SPACE])
		return left->total[INUSE_SPACE] > right->total[INUSE_SPACE] ? -1 : 1;
	return compare_pids(a, b);
}

/* The living ones, and after the end all, each pid once; returns how many. */
static u32 choose(const struct source_listing *listing, const struct index_entry **chosen)
{
	u32 count = 0, kept = 0;

	for (u32 i = 0; i < listing->processes.count; i++) {
		const struct index_entry *entry = &listing->processes.entries[i];

		if (entry->facts->pid && (listing->ended || !entry->facts->exited))
			chosen[count++] = entry;
	}
	if (count)
		qsort(chosen, count, sizeof(*chosen), compare_pids);
	for (u32 i = 0; i < count; i++)
		if (!kept || chosen[kept - 1]->facts->pid != chosen[i]->facts->pid)
			chosen[kept++] = chosen[i];
	if (kept)
		qsort(chosen, kept, sizeof(*chosen), compare_weight);
	return kept < DISCOVERY_TARGETS_MAX ? kept : DISCOVERY_TARGETS_MAX;
}

int discovery_write(const struct source_listing *listing, const char *address, FILE *out)
{
	const struct index_entry **chosen = calloc(listing->processes.count + 1UL, sizeof(const struct index_entry *));
	cJSON *list = cJSON_CreateArray();
	u32 count = chosen ? choose(listing, chosen) : 0;
	bool complete = chosen && list;
	char *text = NULL;

	for (u32 i = 0; i < count && complete; i++)
		complete = add_target(list, chosen[i]->facts, address);
	if (complete)
		text = cJSON_Print(list);
	if (text)
		fprintf(out, "%s\n", text);
	cJSON_free(text);
	cJSON_Delete(list);
	free(chosen);
	return text ? stream_flush(out) : -ENOMEM;
}
