/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/interval.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "system/container_log.h"

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

/* Without its namespace a container would be another series. 0 or negative errno. */
static int take_series(const struct interval *interval, struct push_series_table *table,
		       const struct label_facts *known, struct push_series **ret_series)
{
	char build_id[PROFILE_BUILD_ID_SIZE], *space = NULL;
	struct label_facts facts = *known;
	int err = 0;

	facts.host = interval->host;
	if (find_build_id(interval->profile, facts.exe, build_id))
		facts.build_id = build_id;
	/* Only Kubernetes has names with a slash. */
	if (facts.container_id && facts.container && strchr(facts.container, '/'))
		err = container_log_space(CONTAINER_LOG_DIRECTORY, facts.container_id, &space);
	facts.space = space;
	*ret_series = err ? NULL : push_series_take(table, &facts, clock_now_ns());
	free(space);
	return err || *ret_series ? err : -ENOMEM;
}

static int series_of_process(const struct interval *interval, struct push_series_table *table,
			     const struct profile *process, struct push_series **ret_series)
{
	const struct label_facts facts = {
		.comm = process->comm,
		.exe = process->exe,
		.container_id = process->container,
		.container = process->container_name,
		.cgroup = process->cgroup,
		.pid = interval->listing->named ? process->pid : 0,
	};

	return take_series(interval, table, &facts, ret_series);
}

/* Not the beginning of its id, which stands there where it has no name. */
static const char *container_name(const struct profile_labels *labels)
{
	bool is_id = labels->container && labels->container_id &&
		     !strncmp(labels->container, labels->container_id, strlen(labels->container));

	return is_id ? NULL : labels->container;
}

/* A process that has gone since is known by what its samples say. */
static int series_of_labels(const struct interval *interval, struct push_series_table *table,
			    const struct profile_labels *labels, struct push_series **ret_series)
{
	const struct profile *process = find_facts(interval->listing, labels->pid);
	const struct label_facts facts = {
		.comm = labels->comm ? labels->comm : "",
		.container_id = labels->container_id,
		.container = container_name(labels),
		.pid = interval->listing->named ? labels->pid : 0,
	};

	return process ? series_of_process(interval, table, process, ret_series)
		       : take_series(interval, table, &facts, ret_series);
}

/* --- sorting --- */

/* By index of the samples' labels, 0 being the profile's own process; to be freed. 0 or negative errno. */
static int list_series(const struct interval *interval, struct push_series_table *table,
		       struct push_series ***ret_series)
{
	const struct profile *profile = interval->profile, *own = find_facts(interval->listing, profile->pid);
	struct push_series **series = calloc(profile->label_count + 1UL, sizeof(*series));
	int err = series ? 0 : -ENOMEM;

	*ret_series = series;
	err = err ? err : series_of_process(interval, table, own ? own : profile, &series[0]);
	for (u32 i = 0; i < profile->label_count && !err; i++)
		err = series_of_labels(interval, table, &profile->labels[i], &series[i + 1]);
	return err;
}

int interval_sort(const struct interval *interval, struct push_series_table *table)
{
	struct push_series **series;
	int err = list_series(interval, table, &series);

	push_series_clear(table);
	for (u32 i = 0; i < interval->profile->sample_count && !err; i++) {
		const struct profile_sample *sample = &interval->profile->samples[i];
		u32 labels = sample->labels <= interval->profile->label_count ? sample->labels : 0;

		err = stack_sums_add(&series[labels]->sums, interval->profile, sample);
	}
	free(series);
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
