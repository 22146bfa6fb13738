/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* index.json (docs/formats.md), the list of a recording's processes and their files. */
#include <stdio.h>

#include "system/cgroup_usage.h"
#include "view/index_entry.h"

/* What index.json says of the whole recording. */
struct recording {
	const char *version;
	u64 sample_bytes;
	const char *attach; /* "session", "multi", "perf" */
	u64 start_unix_ns, duration_ns;
	u64 processes_missing;		  /* they began and ended while the ring was full */
	u64 processes_refused;		  /* not traced: too many at once */
	struct cgroup_usage group;	  /* of the group that was recorded */
	const char *const *options;	  /* argv after "record", NULL-terminated */
	const struct index_entry *merged; /* of containers and of all; NULL: nothing was to be merged */
	u32 merged_count;
};

/* Write the text of index.json, flushed. 0 or negative errno. */
int index_write(const struct recording *recording, const struct index_entry *entries, u32 count, FILE *out);

/* Write index.json into directory `dir` (a descriptor), whole or not at all. 0 or negative errno. */
int index_write_file(int dir, const struct recording *recording, const struct index_entry *entries, u32 count);
