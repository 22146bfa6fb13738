/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FORMAT_OUTPUT_FILE_H
#define FORMAT_OUTPUT_FILE_H
/*
 * From a profile to files. Every file is written to a temporary name in the same directory, flushed, and renamed, so
 * that a full disk leaves the previous file intact.
 */
#include <stdio.h>

#include "profile/profile.h"

enum format {
	FORMAT_PPROF = 1 << 0,
	FORMAT_TEXT = 1 << 1,
	FORMAT_FOLDED = 1 << 2,
	FORMAT_JSON = 1 << 3,
};

/* One format: writes `profile` to `out`. 0 or negative errno. Formats are documented in docs/formats.md. */
int pprof_write(const struct profile *profile, FILE *out);
int text_write(const struct profile *profile, FILE *out);
int folded_write(const struct profile *profile, FILE *out, enum measure measure);
int json_profile_write(const struct profile *profile, FILE *out);

/* How every write_* ends: flush, and 0 or the negative errno of whatever write failed. */
int output_file_flush(FILE *out);

/*
 * Write `profile` in every format of the mask into directory `dir` (a descriptor) as <pid>.<comm>[-N][.SEQ].<ext>, or
 * <stem>[.SEQ].<ext> where it has a stem; N is profile->image when above 1, SEQ when above 0 (four digits). *ret_files is a NULL-terminated list of the names
 * written (allocated; free with string_list_free); set even on error, with those that were completed. 0 or negative
 * errno.
 */
int output_file_write(int dir, const struct profile *profile, unsigned int formats, unsigned int seq,
		      char ***ret_files);

/* `name` as it may stand in the name of a file: cut, and with '_' for what is not of [A-Za-z0-9._-]. */
#define OUTPUT_FILE_NAME_MAX 64
void output_file_clean_name(const char *name, char clean[OUTPUT_FILE_NAME_MAX + 1]);

/* One process of index.json, or several that are merged. */
struct index_entry {
	const struct profile *facts; /* its tables are not looked at */
	char *const *files;	     /* NULL-terminated, may be empty */
	u64 total[MEASURE_MAX];
	u64 samples; /* allocations sampled */
};

/* The sums are made here, so that the profile's tables may go. */
struct index_entry index_entry_of(const struct profile *profile, char *const *files);

/* What stands beside the processes in index.json. */
struct recording {
	const char *version;
	u64 sample_bytes;
	const char *attach; /* "session", "multi", "perf" */
	u64 start_unix_ns, duration_ns;
	const char *const *options;	  /* argv after "record", NULL-terminated */
	const struct index_entry *merged; /* of containers and of all; NULL: nothing was to be merged */
	u32 merged_count;
};

/* The text of index.json. 0 or negative errno. */
int index_write(const struct recording *recording, const struct index_entry *entries, u32 count, FILE *out);

/* Write index.json into directory `dir`. 0 or negative errno. */
int index_write_file(int dir, const struct recording *recording, const struct index_entry *entries, u32 count);

#endif
