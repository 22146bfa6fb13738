/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The figures of a process that lists of processes show: those of index.json, of tables, of metrics. */
#include "profile/lifetime_summary.h"
#include "profile/profile.h"

/* One process of index.json, or several that are merged. */
struct index_entry {
	const struct profile *facts; /* its tables are not used */
	char *const *files;	     /* NULL-terminated, may be empty */
	u64 total[MEASURE_MAX];
	double stderr_total[MEASURE_MAX]; /* standard error of each; NAN: unknown */
	u64 samples;			  /* allocations sampled */
	struct lifetime_summary lifespan; /* of the process; samples 0: unknown */
	bool regions_known;		  /* --mappings */
	u64 program_regions[MEASURE_MAX], allocator_regions[MEASURE_MAX];
	u64 region_ledger[COUNTER_MAX];
};

/* Sums and verdict are made here, so that the profile's tables may be freed afterwards. `files` may be NULL. */
struct index_entry index_entry_of(const struct profile *profile, char *const *files);

/* Add what the same process has besides: totals and samples. */
void index_entry_add(struct index_entry *entry, const struct profile *beside);

/* Is it what a Go program kept itself, of the process of the one before it? */
bool index_entry_is_beside(const struct index_entry *entry, const struct index_entry *before);

/* What of the entry's total is of processes that have ended, and how many these are. */
struct profile_ended index_entry_ended(const struct index_entry *entry);

/* Bytes that the entry's living processes have in use. */
u64 index_entry_inuse_now(const struct index_entry *entry);

/*
 * The process's place in a list, where a larger number comes first: those that grow or were ended by the OOM killer, then those that
 * live, then those that have ended; in each of the three by what they have in use, or by what their resident memory has grown by
 * where that is more, and a minute of growth.
 */
u64 index_entry_rank(const struct index_entry *entry);

/* Entries that own their facts and files. Valid when zeroed. */
struct index_table {
	struct index_entry *entries;
	u32 count;
};

/* Takes both over, also on error, and strips the profile of its tables. `files` may be NULL. 0 or -ENOMEM. */
int index_table_add(struct index_table *table, struct profile *profile, char **files);

/* Add copies of all that `from` has. 0 or -ENOMEM. */
int index_table_copy(const struct index_table *from, struct index_table *table);

/* One row for each process: what stands beside the row before it is added to that one. */
void index_table_join(struct index_table *table);

/* By when they began; of a process that has two, first what it has from malloc. */
void index_table_sort(struct index_table *table);

void index_table_release(struct index_table *table);
