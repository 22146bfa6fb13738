/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* index.json (docs/formats.md), the list of a recording's processes and their files, and the entries it is made of. */
#include <stdio.h>

#include "profile/lifetime_summary.h"
#include "profile/profile.h"

/* One process of index.json, or several that are merged. */
struct index_entry {
	const struct profile *facts; /* its tables are not used */
	char *const *files;	     /* NULL-terminated, may be empty */
	u64 total[MEASURE_MAX];
	u64 samples;			  /* allocations sampled */
	struct lifetime_summary lifespan; /* of the process; samples 0: unknown */
};

/* What of the entry's total is of processes that have ended, and how many these are. */
struct profile_ended index_entry_ended(const struct index_entry *entry);

/* All entries as one, whose facts are `facts`, zeroed before; it has no files. */
void index_entries_sum(const struct index_entry *entries, u32 count, struct profile *facts,
		       struct index_entry *ret_sum);

/* Sums and verdict are made here, so that the profile's tables may be freed afterwards. `files` may be NULL. */
struct index_entry index_entry_of(const struct profile *profile, char *const *files);

/* Entries that own their facts and files. Valid when zeroed. */
struct index_table {
	struct index_entry *entries;
	u32 count;
};

/* Takes both over, also on error, and strips the profile of its tables. `files` may be NULL. 0 or -ENOMEM. */
int index_table_add(struct index_table *table, struct profile *profile, char **files);

/* By when they began. */
void index_table_sort(struct index_table *table);

void index_table_release(struct index_table *table);

/* What index.json says of the whole recording. */
struct recording {
	const char *version;
	u64 sample_bytes;
	const char *attach; /* "session", "multi", "perf" */
	u64 start_unix_ns, duration_ns;
	u64 processes_missing;		  /* they began and ended while the ring was full */
	u64 processes_refused;		  /* not traced: too many at once */
	const char *const *options;	  /* argv after "record", NULL-terminated */
	const struct index_entry *merged; /* of containers and of all; NULL: nothing was to be merged */
	u32 merged_count;
};

/* Write the text of index.json, flushed. 0 or negative errno. */
int index_write(const struct recording *recording, const struct index_entry *entries, u32 count, FILE *out);

/* Write index.json into directory `dir` (a descriptor), whole or not at all. 0 or negative errno. */
int index_write_file(int dir, const struct recording *recording, const struct index_entry *entries, u32 count);
