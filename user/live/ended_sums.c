/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/ended_sums.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool are_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* NULL: there is none yet. */
static struct index_entry *find(const struct index_table *sums, const struct profile *profile)
{
	for (u32 i = 0; i < sums->count; i++) {
		const struct profile *facts = sums->entries[i].facts;

		if (i == ENDED_SUMS_MAX || (facts->pid == profile->pid && are_equal(facts->comm, profile->comm) &&
					    are_equal(facts->container, profile->container) &&
					    are_equal(facts->container_name, profile->container_name)))
			return &sums->entries[i];
	}
	return NULL;
}

static void forget_names(struct profile *profile)
{
	profile->pid = 0;
	free(profile->comm);
	free(profile->container);
	free(profile->container_name);
	profile->comm = profile->container = profile->container_name = NULL;
}

static int begin_row(struct index_table *sums, struct profile *profile)
{
	if (sums->count == ENDED_SUMS_MAX)
		forget_names(profile);
	profile->image = 0;
	profile->exited = true;
	profile->processes = 1;
	profile->root = NULL; /* its image goes */
	profile->go = (struct profile_go){0};
	if (index_table_add(sums, profile, NULL))
		return -ENOMEM;
	profile->ended = (struct profile_ended){1, sums->entries[sums->count - 1].total[INUSE_OBJECTS],
						sums->entries[sums->count - 1].total[INUSE_SPACE]};
	return 0;
}

/* The table's facts are its own. */
static void add_to_row(struct index_entry *row, const struct profile *profile)
{
	const struct index_entry more = index_entry_of(profile, NULL);
	struct profile *facts = (struct profile *)row->facts;

	facts->processes += !profile->go.beside;
	facts->ended.processes += !profile->go.beside;
	facts->ended.inuse_objects += more.total[INUSE_OBJECTS];
	facts->ended.inuse_space += more.total[INUSE_SPACE];
	for (unsigned int c = 0; c < COUNTER_MAX; c++)
		facts->ledger[c] += profile->ledger[c];
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		row->total[m] += more.total[m];
	row->samples += more.samples;
}

int ended_sums_add(struct index_table *sums, struct profile *profile, bool named)
{
	struct index_entry *row;

	profile->pid = named ? profile->pid : 0;
	row = find(sums, profile);
	if (!row)
		return begin_row(sums, profile);
	add_to_row(row, profile);
	profile_free(profile);
	return 0;
}
