/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The profiles of a recording as files, by their names in its index. The index may be hostile: a file outside the recording is no entry's
 * profile. They are read anew each time.
 */
#include <cjson/cJSON.h>
#include <limits.h>

#include "profile/merge.h"
#include "view/index_entry.h"

struct recorded_files {
	char folder[PATH_MAX];
	cJSON *index; /* NULL: none */
};

/* --- which an entry has --- */

/* Directly in that folder of the recording ("": in itself). NULL: it has none. */
const char *recorded_files_profile(const struct index_entry *entry, const char *folder);

/* The earlier one with that number. NULL: there are no more, or no entry, and *ret_count is how many there are. */
const char *recorded_files_moment(const struct index_entry *entry, u32 index, u32 *ret_count);

/* The earlier one of the entry that was written with `moment`, which is another's. NULL: there is none. */
const char *recorded_files_same_moment(const struct index_entry *entry, const char *moment);

/* --- their profiles --- */

/* As profile_file_load. */
int recorded_files_read(const struct recorded_files *files, const char *name, struct profile **ret_profile);

/* Add it, labelled as its process's: as recorded_files_read and source_merge. */
int recorded_files_merge(const struct recorded_files *files, const char *name, struct merge *merge);

/* A copy of what was merged. 0 or -ENOMEM. */
int recorded_files_take(struct merge *merge, struct profile **ret_profile);

/* Two added up: as the three above. */
int recorded_files_read_both(const struct recorded_files *files, const char *name, const char *other,
			     struct profile **ret_profile);
