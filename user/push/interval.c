/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/interval.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/text.h"
#include "system/container_log.h"

struct sorting {
	const struct interval *interval;
	struct push_series_table *table;
	struct push_series **series; /* by labels, 0 being the profile's own process; NULL: not taken yet */
	u64 now_ns;		     /* one for all: none gives way to another of the interval */
};

/* --- whose a sample is --- */

/* The last image of the process; NULL: it is not listed (any more). */
static const struct profile *find_facts(const struct source_listing *listing, u32 pid)
{
	for (u32 i = listing->processes.count; pid && i-- > 0;)
		if (listing->processes.entries[i].facts->pid == pid)
			return listing->processes.entries[i].facts;
	return NULL;
}

/* For the program at that path; false where there is none, or two that differ. */
static bool find_build_id(const struct profile *profile, const char *exe, char text[PROFILE_BUILD_ID_SIZE])
{
	const struct profile_mapping *found = NULL;

	for (u32 i = 0; exe && i < profile->mapping_count; i++) {
		const struct profile_mapping *mapping = &profile->mappings[i];

		if (!mapping->path || strcmp(mapping->path, exe) != 0)
			continue;
		if (found && (found->build_id_size != mapping->build_id_size ||
			      memcmp(found->build_id, mapping->build_id, sizeof(found->build_id)) != 0))
			return false;
		found = mapping;
	}
	return found && *profile_build_id(found, text);
}

/*
 * Without its namespace a container would be another series. What was found is kept, since kubelet removes a log when its pod has ended,
 * perhaps before the last samples come. For the caller to free; NULL: there is none. 0 or negative errno.
 */
static int find_space(const struct sorting *sorting, const struct label_facts *facts, char **ret_space)
{
	const char *known;

	*ret_space = NULL;
	/* Only Kubernetes has names with a slash. */
	if (!facts->container_id || !facts->container || !strchr(facts->container, '/'))
		return 0;
	known = push_series_space(sorting->table, facts->container_id);
	return known ? text_copy(known, ret_space)
		     : container_log_space(sorting->interval->container_logs, facts->container_id, ret_space);
}

static int take_series(const struct sorting *sorting, const struct label_facts *known, struct push_series **ret_series)
{
	const struct interval *interval = sorting->interval;
	char build_id[PROFILE_BUILD_ID_SIZE], *space;
	struct label_facts facts = *known;
	int err = find_space(sorting, known, &space);

	facts.host = interval->host;
	facts.space = space;
	if (find_build_id(interval->profile, facts.exe, build_id))
		facts.build_id = build_id;
	*ret_series = err ? NULL : push_series_take(sorting->table, &facts, sorting->now_ns);
	free(space);
	return err || *ret_series ? err : -ENOMEM;
}

static int series_of_process(const struct sorting *sorting, const struct profile *process,
			     struct push_series **ret_series)
{
	const struct label_facts facts = {
		.comm = process->comm,
		.exe = process->exe,
		.container_id = process->container,
		.container = process->container_name,
		.cgroup = process->cgroup,
		.pid = sorting->interval->listing->named ? process->pid : 0,
	};

	return take_series(sorting, &facts, ret_series);
}

/* Not the beginning of its id, which stands there where it has no name. */
static const char *container_name(const struct profile_labels *labels)
{
	bool is_id = labels->container && labels->container_id &&
		     !strncmp(labels->container, labels->container_id, strlen(labels->container));

	return is_id ? NULL : labels->container;
}

/* A process that has gone since is known by what its samples say. */
static int series_of_labels(const struct sorting *sorting, const struct profile_labels *labels,
			    struct push_series **ret_series)
{
	const struct source_listing *listing = sorting->interval->listing;
	const struct profile *process = find_facts(listing, labels->pid);
	const struct label_facts facts = {
		.comm = labels->comm ? labels->comm : "",
		.container_id = labels->container_id,
		.container = container_name(labels),
		.pid = listing->named ? labels->pid : 0,
	};

	return process ? series_of_process(sorting, process, ret_series) : take_series(sorting, &facts, ret_series);
}

/* The series of those labels of the profile, counted from 1; 0: its own process. */
static int series_of(const struct sorting *sorting, u32 labels, struct push_series **ret_series)
{
	const struct profile *profile = sorting->interval->profile, *own;

	if (labels)
		return series_of_labels(sorting, &profile->labels[labels - 1], ret_series);
	own = find_facts(sorting->interval->listing, profile->pid);
	return series_of_process(sorting, own ? own : profile, ret_series);
}

/* --- sorting --- */

/* A series is taken with the first sample of it that has anything: labels remain of processes that ended long ago. */
static int sort_sample(const struct sorting *sorting, const struct profile_sample *sample)
{
	const struct profile *profile = sorting->interval->profile;
	u32 labels = sample->labels <= profile->label_count ? sample->labels : 0;
	struct push_series **series = &sorting->series[labels];
	int err = 0;

	if (!sample->alloc_count && !sample->inuse_count)
		return 0;
	if (!*series)
		err = series_of(sorting, labels, series);
	return err ? err : stack_sums_add(&(*series)->sums, profile, sample);
}

int interval_sort(const struct interval *interval, struct push_series_table *table)
{
	const struct sorting sorting = {
		.interval = interval,
		.table = table,
		.series = calloc(interval->profile->label_count + 1UL, sizeof(*sorting.series)),
		.now_ns = clock_now_ns(),
	};
	int err = sorting.series ? 0 : -ENOMEM;

	push_series_clear(table);
	for (u32 i = 0; i < interval->profile->sample_count && !err; i++)
		err = sort_sample(&sorting, &interval->profile->samples[i]);
	free(sorting.series);
	return err;
}

/* --- pairs --- */

struct pairs {
	const struct interval *interval;
	struct push_profile *profiles;
	struct stack_sum **rows; /* of each; batch_send uses the profiles up */
	u32 count;
};

static bool has_any(const struct stack_sum *row, enum measure first, enum measure end)
{
	for (unsigned int m = first; m < end; m++)
		if (row->value[m])
			return true;
	return false;
}

static int add_rows(struct pairs *pairs, struct push_profile *profile, struct stack_sum *rows)
{
	if (array_grow(&pairs->profiles, pairs->count, 1) || array_grow(&pairs->rows, pairs->count, 1)) {
		free(rows);
		return -ENOMEM;
	}
	profile->stacks.rows = pairs->rows[pairs->count] = rows;
	pairs->profiles[pairs->count++] = *profile;
	return 0;
}

/* The profile of two measures; none where nothing was counted. */
static int add_profile(struct pairs *pairs, const struct push_series *series, enum measure first, u64 duration_ns)
{
	const enum measure end = first + 2;
	struct push_profile profile = {
		.labels = &series->labels,
		.stacks = {.profile = pairs->interval->profile,
			   .exe = series->exe,
			   .first = first,
			   .end = end,
			   .time_unix_ns = (u64)pairs->interval->taken_ns - duration_ns,
			   .duration_ns = duration_ns},
		.part = 1,
	};
	struct stack_sum *rows = calloc(series->sums.count + 1UL, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	for (u32 i = 0; i < series->sums.count; i++)
		if (has_any(&series->sums.rows[i], first, end))
			rows[profile.stacks.count++] = series->sums.rows[i];
	if (profile.stacks.count)
		return add_rows(pairs, &profile, rows);
	free(rows);
	return 0;
}

static int add_pair(struct pairs *pairs, const struct push_series *series)
{
	const struct profile *profile = pairs->interval->profile;
	int err = 0;

	if (profile_knows_inuse(profile))
		err = add_profile(pairs, series, INUSE_OBJECTS, 0);
	return err ? err : add_profile(pairs, series, ALLOC_OBJECTS, profile->duration_ns);
}

int interval_send(const struct interval *interval, const struct push_series_table *table, struct batch *batch)
{
	struct pairs pairs = {.interval = interval};
	struct push_series *series, *next;
	int err = 0;

	HASH_ITER (hh, table->rows, series, next)
		if (!err && series->sums.count)
			err = add_pair(&pairs, series);
	if (!err)
		batch_send(batch, pairs.profiles, pairs.count);
	for (u32 i = 0; i < pairs.count; i++)
		free(pairs.rows[i]);
	free(pairs.rows);
	free(pairs.profiles);
	return err;
}
