/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "format/site_label.h"
#include "profile/ledger.h"

#define OTHER "other" /* the name of the series that has what is left */

/* --- one process --- */

static bool is_living(const struct source_listing *listing, const struct profile *facts)
{
	return listing->ended || (!facts->exited && !facts->processes);
}

/* Cleaned, and cut between characters. 0 or -ENOMEM. */
static int put_label(const char *text, char label[SERIES_LABEL_SIZE])
{
	char *clean = text_clean(text ? text : "");
	size_t used = 0, size;

	if (!clean)
		return -ENOMEM;
	while (clean[used] && used + (size = text_character_length(clean + used)) < SERIES_LABEL_SIZE)
		used += size;
	memcpy(label, clean, used);
	label[used] = '\0';
	free(clean);
	return 0;
}

static int put_labels(const struct source_listing *listing, const struct profile *facts, struct series *series)
{
	char buffer[SITE_LABEL_ID_COLUMNS + 1];
	int err = put_label(site_label_container(facts, buffer), series->container);

	series->labelled = true;
	if (listing->named)
		series->pid = facts->pid;
	return err ? err : put_label(facts->comm, series->comm);
}

static void put_figures(const struct source_listing *listing, const struct index_entry *entry, struct series *series)
{
	const struct profile *facts = entry->facts;
	bool living = is_living(listing, facts);

	series->living = living ? (facts->processes ? facts->processes : 1) : 0;
	series->inuse_known = living && profile_knows_inuse(facts);
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		if (!measure_is_inuse(m) || series->inuse_known)
			series->total[m] = entry->total[m];
	series->samples = entry->samples;
	series->hits_alloc = facts->ledger[COUNTER_HITS_ALLOC];
	series->hits_free = facts->ledger[COUNTER_HITS_FREE];
	/* What dropped ones had is added up in a row, which has no more than that (ended_sums.h). */
	if (!living || facts->processes)
		return;
	series->resident = facts->rss_end_bytes;
	series->memory_known = facts->memory.known;
	memcpy(series->memory, facts->memory.part, sizeof(series->memory));
	if (entry->lifespan.samples && entry->lifespan.verdict == VERDICT_GROWING)
		series->growth = entry->lifespan.growth;
}

/* --- those of the scope --- */

static bool is_in_scope(const struct metrics_scope *scope, const struct profile *facts)
{
	if (scope->pid)
		return facts->pid == scope->pid;
	return !scope->container || source_is_container(scope->container, facts);
}

static int add_entry(const struct source_listing *listing, const struct metrics_scope *scope,
		     const struct index_entry *entry, struct series_list *list)
{
	struct series *series;

	if (!is_in_scope(scope, entry->facts))
		return 0;
	if (array_grow(&list->series, list->count, 1))
		return -ENOMEM;
	series = &list->series[list->count++];
	*series = (struct series){0};
	put_figures(listing, entry, series);
	for (unsigned int c = 0; c < COUNTER_MAX; c++)
		list->counted[c] += entry->facts->ledger[c];
	/* The labels of one process are the target's. */
	return scope->pid ? 0 : put_labels(listing, entry->facts, series);
}

static int add_entries(const struct source_listing *listing, const struct metrics_scope *scope,
		       const struct index_table *table, struct series_list *list)
{
	int err = 0;

	for (u32 i = 0; i < table->count && !err; i++)
		err = add_entry(listing, scope, &table->entries[i], list);
	return err;
}

/* --- adding up --- */

static int compare_labels(const void *a, const void *b)
{
	const struct series *left = a, *right = b;
	int order = strcmp(left->container, right->container);

	if (!order)
		order = strcmp(left->comm, right->comm);
	if (!order && left->pid != right->pid)
		order = left->pid < right->pid ? -1 : 1;
	return order;
}

static int compare_weight(const void *a, const void *b)
{
	const struct series *left = a, *right = b;
	u64 left_weight = left->total[INUSE_SPACE], right_weight = right->total[INUSE_SPACE];

	if (left_weight != right_weight)
		return left_weight > right_weight ? -1 : 1;
	return compare_labels(left, right);
}

static void add_up(struct series *sum, const struct series *more)
{
	if (more->living)
		sum->memory_known = more->memory_known && (sum->memory_known || !sum->living);
	for (unsigned int i = 0; i < MEMORY_PART_MAX; i++)
		memory_count(&sum->memory[i], &more->memory[i]);
	sum->living += more->living;
	sum->inuse_known |= more->inuse_known;
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		sum->total[m] += more->total[m];
	sum->samples += more->samples;
	sum->hits_alloc += more->hits_alloc;
	sum->hits_free += more->hits_free;
	sum->resident += more->resident;
	sum->growth += more->growth;
}

/* Equal labels are one series; those without a living process are none. */
static void merge_equal(struct series_list *list)
{
	u32 merged = 0, kept = 0;

	if (!list->count)
		return;
	qsort(list->series, list->count, sizeof(*list->series), compare_labels);
	for (u32 i = 1; i < list->count; i++) {
		if (compare_labels(&list->series[merged], &list->series[i]))
			list->series[++merged] = list->series[i];
		else
			add_up(&list->series[merged], &list->series[i]);
	}
	for (u32 i = 0; i <= merged; i++)
		if (list->series[i].living)
			list->series[kept++] = list->series[i];
	list->count = kept;
}

/* The largest stay; the others, and one that has their name already, are one. */
static void cap(struct series_list *list)
{
	struct series other = {.labelled = true, .comm = OTHER};
	u32 kept = 0;

	if (list->count > 1)
		qsort(list->series, list->count, sizeof(*list->series), compare_weight);
	if (list->count <= METRICS_SERIES_MAX)
		return;
	for (u32 i = 0; i < list->count; i++) {
		if (kept == METRICS_SERIES_MAX - 1 || !compare_labels(&list->series[i], &other))
			add_up(&other, &list->series[i]);
		else
			list->series[kept++] = list->series[i];
	}
	list->series[kept++] = other;
	list->count = kept;
}

int series_list_make(const struct source_listing *listing, const struct metrics_scope *scope,
		     struct series_list *ret_list)
{
	int err;

	*ret_list = (struct series_list){0};
	err = add_entries(listing, scope, &listing->processes, ret_list);
	ret_list->processes = ret_list->count;
	err = err ? err : add_entries(listing, scope, &listing->dropped, ret_list);
	if (err)
		return err;
	merge_equal(ret_list);
	cap(ret_list);
	return 0;
}

void series_list_release(struct series_list *list)
{
	free(list->series);
	*list = (struct series_list){0};
}
