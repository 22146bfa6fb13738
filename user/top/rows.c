/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/rows.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/site_label.h"
#include "view/code_label.h"

/* --- figures --- */

static double per_second(const struct profile *facts, u64 bytes)
{
	return facts->duration_ns ? (double)bytes * 1e9 / (double)facts->duration_ns : NAN;
}

/* Lately, else since the beginning. */
static double rate(const struct history *history, const struct history_row *row, const struct profile *facts,
		   u64 allocated)
{
	double lately = history_rate(history, row);

	return isnan(lately) ? per_second(facts, allocated) : lately;
}

static double growth(const struct lifetime_summary *summary)
{
	return summary->verdict == VERDICT_GROWING ? summary->growth : NAN;
}

/* By the words' urgency; those that say nothing come last. */
static double urgency(enum verdict verdict)
{
	static const double order[] = {
		[VERDICT_GROWING] = 5,	 [VERDICT_FILLING] = 4, [VERDICT_MIXED] = 3,	[VERDICT_STEADY] = 2,
		[VERDICT_TRANSIENT] = 1, [VERDICT_EARLY] = 0,	[VERDICT_UNKNOWN] = NAN};

	return order[verdict];
}

static double known(u64 value)
{
	return value ? (double)value : NAN;
}

static void clear(struct row *row)
{
	*row = (struct row){0};
	for (unsigned int i = 0; i < FIGURE_MAX; i++)
		row->figure[i] = NAN;
}

/* --- processes --- */

/* Exact in a double: how urgent it is, and what it weighs. */
static double rank(const struct index_entry *entry)
{
	u64 both = index_entry_rank(entry), weight = both & ((1ULL << 62) - 1), most = (1ULL << 51) - 1;

	return 0x1p51 * (double)(both >> 62) + (double)(weight < most ? weight : most);
}

u64 rows_process_key(u32 pid, u32 image)
{
	return (u64)image << 32 | pid;
}

static void fill_process(const struct index_entry *entry, struct history *history, struct row *row)
{
	const struct profile *facts = entry->facts;
	double *figure = row->figure;

	clear(row);
	row->process = entry;
	row->key = rows_process_key(facts->pid, facts->image);
	row->verdict = entry->lifespan.verdict;
	row->history = history_add(history, row->key, entry->total[INUSE_SPACE], entry->total[ALLOC_SPACE]);
	figure[FIGURE_RANK] = rank(entry);
	if (profile_knows_inuse(facts)) {
		figure[FIGURE_INUSE] = (double)entry->total[INUSE_SPACE];
		figure[FIGURE_ERROR] = entry->stderr_total[INUSE_SPACE];
	}
	if (!facts->exited)
		figure[FIGURE_RATE] = rate(history, row->history, facts, entry->total[ALLOC_SPACE]);
	figure[FIGURE_CHANGE] = history_change(history, row->history);
	figure[FIGURE_GROWTH] = growth(&entry->lifespan);
	figure[FIGURE_VERDICT] = facts->exited ? -1 : urgency(row->verdict);
	figure[FIGURE_SAMPLES] = (double)entry->samples;
	figure[FIGURE_RSS] = facts->exited ? NAN : known(facts->rss_end_bytes);
	figure[FIGURE_LOST] = (double)ledger_losses(facts->ledger).count;
	figure[FIGURE_PID] = facts->pid;
}

static bool process_passes(const struct index_entry *entry, const char *filter)
{
	char id[SITE_LABEL_ID_COLUMNS + 1], pid[16];
	const char *container = site_label_container(entry->facts, id);

	snprintf(pid, sizeof(pid), "%u", entry->facts->pid);
	return strcasestr(entry->facts->comm, filter) || strstr(pid, filter) ||
	       (container && strcasestr(container, filter));
}

int rows_of_processes(const struct index_table *processes, struct history *history, const char *filter,
		      struct rows *ret_rows)
{
	struct rows *rows = ret_rows;

	*rows = (struct rows){.level = LEVEL_PROCESSES,
			      .history = history,
			      .rows = calloc(processes->count + 1UL, sizeof(*rows->rows))};
	if (!rows->rows)
		return -ENOMEM;
	for (u32 i = 0; i < processes->count; i++) {
		const struct index_entry *entry = &processes->entries[i];

		fill_process(entry, history, &rows->rows[rows->count]);
		rows->has_containers |= entry->facts->container || entry->facts->container_name;
		if (process_passes(entry, filter))
			rows->count++;
		else
			rows->hidden++;
	}
	return 0;
}

/* --- sites --- */

/* 0: no memory. */
static u64 site_key(const struct overview *overview, const struct profile_site *site, struct history *history)
{
	u32 number;

	return site_table_number(&history->sites, overview->profile, site, &number) ? 0 : number + 1ULL;
}

static void fill_site(const struct overview *overview, const struct profile_site *site, struct history *history,
		      struct row *row)
{
	const struct profile *profile = overview->profile;
	const struct lifetime_summary *summary = &site->lifetime_summary;
	double *figure = row->figure;

	clear(row);
	row->site = site;
	row->key = site_key(overview, site, history);
	row->verdict = summary->verdict;
	row->history = history_add(history, row->key, site->value[INUSE_SPACE], site->value[ALLOC_SPACE]);
	figure[FIGURE_RANK] =
		row->verdict == VERDICT_GROWING ? 0x1p70 + summary->growth : (double)site->value[overview->by];
	if (profile_knows_inuse(profile)) {
		figure[FIGURE_INUSE] = (double)site->value[INUSE_SPACE];
		figure[FIGURE_ERROR] = site->stderr_value[INUSE_SPACE];
	}
	figure[FIGURE_RATE] = profile->exited ? per_second(profile, site->value[ALLOC_SPACE])
					      : rate(history, row->history, profile, site->value[ALLOC_SPACE]);
	figure[FIGURE_CHANGE] = history_change(history, row->history);
	figure[FIGURE_GROWTH] = growth(summary);
	figure[FIGURE_MEDIAN] = lifetime_summary_median_ns(profile, summary);
	figure[FIGURE_VERDICT] = urgency(row->verdict);
	figure[FIGURE_SAMPLES] = (double)(measure_is_inuse(overview->by) ? site->inuse_samples : site->alloc_samples);
}

static bool location_passes(const struct profile *profile, const struct profile_location *location, const char *filter)
{
	char code[CODE_LABEL_SIZE];

	for (u32 i = 0; i < location->line_count; i++)
		if (strcasestr(location->lines[i].function, filter))
			return true;
	if (location->line_count)
		return false;
	code_label(profile, location, code);
	return strcasestr(code, filter);
}

/* The site's file, or a function of its stack. Its label would take a hundred times as long to make. */
static bool site_passes(const struct profile *profile, const struct profile_site *site, const char *filter)
{
	const struct profile_line *line = profile_site_line(site);

	if (!*filter || (line && line->file && strcasestr(line->file, filter)))
		return true;
	for (u32 i = site->frame; i < site->example->depth; i++)
		if (location_passes(profile, &profile->locations[site->example->location[i]], filter))
			return true;
	return false;
}

int rows_of_sites(const struct overview *overview, struct history *history, const char *filter, struct rows *ret_rows)
{
	struct rows *rows = ret_rows;

	*rows = (struct rows){
		.level = LEVEL_SITES,
		.history = history,
		.profile = overview->profile,
		.rows = calloc(overview->site_count + 1UL, sizeof(*rows->rows)),
	};
	if (!rows->rows)
		return -ENOMEM;
	site_table_forget(&history->sites); /* the profile of the last time is gone */
	for (u32 i = 0; i < overview->site_count; i++) {
		fill_site(overview, &overview->sites[i], history, &rows->rows[rows->count]);
		if (site_passes(overview->profile, &overview->sites[i], filter))
			rows->count++;
		else
			rows->hidden++;
	}
	return 0;
}

void rows_remember_sites(const struct overview *overview, struct history *history, struct timeline *timeline)
{
	static const u64 none[TIMELINE_POINTS];

	site_table_forget(&history->sites);
	for (u32 i = 0; i < overview->site_count; i++) {
		const u64 *inuse = timeline_history(timeline, overview->profile, &overview->sites[i]);

		history_past(history, site_key(overview, &overview->sites[i], history), inuse ? inuse : none,
			     timeline->count);
	}
}

void rows_release(struct rows *rows)
{
	free(rows->rows);
	*rows = (struct rows){0};
}

/* --- order --- */

static const char *name_of(const struct row *row)
{
	const struct profile_line *line = row->site ? profile_site_line(row->site) : NULL;

	return row->process ? row->process->facts->comm : line ? line->function : "";
}

static const char *container_of(const struct row *row, char id[SITE_LABEL_ID_COLUMNS + 1])
{
	const char *container = row->process ? site_label_container(row->process->facts, id) : NULL;

	return container ? container : "";
}

static int compare_texts(const struct row *left, const struct row *right, enum figure by)
{
	char ids[2][SITE_LABEL_ID_COLUMNS + 1];

	if (by == FIGURE_NAME)
		return strcmp(name_of(left), name_of(right));
	return strcmp(container_of(left, ids[0]), container_of(right, ids[1]));
}

/* Below 0: `left` is the larger. */
static int compare_numbers(double left, double right)
{
	return left > right ? -1 : left < right;
}

struct order {
	enum figure by;
	bool reversed;
};

static int compare(const void *a, const void *b, void *arg)
{
	const struct row *left = a, *right = b;
	const struct order *order = arg;
	double x = left->figure[order->by], y = right->figure[order->by];
	int result;

	if (order->by == FIGURE_NAME || order->by == FIGURE_CONTAINER)
		result = compare_texts(left, right, order->by);
	else if (isnan(x) != isnan(y))
		return isnan(x) ? 1 : -1;
	else
		result = order->by == FIGURE_PID ? compare_numbers(y, x) : compare_numbers(x, y);
	result = order->reversed ? -result : result;
	result = result ? result : compare_numbers(left->figure[FIGURE_INUSE], right->figure[FIGURE_INUSE]);
	return result ? result : (left->key > right->key) - (left->key < right->key);
}

void rows_sort(struct rows *rows, enum figure by, bool reversed)
{
	struct order order = {by, reversed};

	qsort_r(rows->rows, rows->count, sizeof(*rows->rows), compare, &order);
}

u32 rows_find(const struct rows *rows, u64 key)
{
	u32 place = 0;

	while (place < rows->count && rows->rows[place].key != key)
		place++;
	return place;
}
