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

/* Whose profiles are wanted. */
struct recorded_pair {
	const struct index_entry *entry; /* NULL: no one's */
	const struct index_entry
		*go; /* what a Go program kept itself, where `entry` is what it has from malloc; or NULL */
};

struct recorded_files {
	char folder[PATH_MAX];
	cJSON *index; /* NULL: none */
};

/* --- which an entry has --- */

/* Directly in that folder of the recording ("": in itself). NULL: it has none. */
const char *recorded_files_profile(const struct index_entry *entry, const char *folder);

/* How many earlier ones there are. */
u32 recorded_files_moment_count(struct recorded_pair pair);

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

/* The earlier one with that number: both that were written then, if they can be added up, else the Go program's own. -ENOENT: there is none. */
int recorded_files_read_moment(const struct recorded_files *files, struct recorded_pair pair, u32 index,
			       struct profile **ret_profile);
