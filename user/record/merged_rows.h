/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Processes that are merged by some key of theirs, executable or container: a row for each key, with the sum of what its
 * processes cost.
 */
#include "base/hash.h"

#include "base/intern.h"
#include "format/output_file.h"

struct merged_row {
	struct profile *facts; /* without tables; processes says how many */
	u32 number;	       /* 1, 2, 3 ... */
	struct intern comms;   /* names of its processes, as far as they are told apart */
	UT_hash_handle hh;
	char key[];
};

/* Valid when zeroed. */
struct merged_rows {
	struct merged_row *rows;
	struct intern stems;
};

struct merged_row *merged_rows_find(const struct merged_rows *rows, const char *key); /* NULL: none */
u32 merged_rows_count(const struct merged_rows *rows);

/*
 * Add a row. Its facts are copies of the strings of `facts` (comm NULL: the stem), with stem <prefix>.<name>, or
 * <prefix>.<name>-N where another row has that. NULL: no memory.
 */
struct merged_row *merged_rows_add(struct merged_rows *rows, const char *key, const struct profile *facts,
				   const char *prefix, const char *name);
void merged_rows_release(struct merged_rows *rows);

/* The row for the process's executable, added when it is the first. NULL: no memory. */
#define MERGED_EXECUTABLES_MAX 4096 /* further ones share the last row */
struct merged_row *merged_rows_executable(struct merged_rows *rows, const struct profile *profile);

/* What to call a process of that name: a program can give itself names without end, so after some it is "other". */
const char *merged_rows_comm(struct merged_row *row, const char *comm);

/*
 * Where merged profiles are written; `seq` as in output_file_write. `written` gets each one, described by its facts, and
 * the names of its files, which it frees.
 */
struct merged_output {
	int dir;
	unsigned int formats, seq;
	void (*written)(void *arg, const struct profile *merged, char **files);
	void *arg;
};

/* Write a merged profile, if it has samples. 0 or negative errno. */
int merged_rows_write_profile(const struct profile *merged, const struct merged_output *output);

/* Write for each row those samples of `all` that are the row's. 0 or the first error; the others are written all the same. */
int merged_rows_write(const struct merged_rows *rows, const struct profile *all,
		      bool (*is_of_row)(const struct profile_labels *labels, const void *row),
		      const struct merged_output *output);
