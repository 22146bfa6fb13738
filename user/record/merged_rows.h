/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Processes that are merged: by executable or by container, with a row for each, which has the sum of what its processes
 * cost; and all of them into one profile.
 */
#include "base/hash.h"

#include "base/intern.h"
#include "format/output_file.h"

struct merged_row {
	struct profile *facts; /* without tables, but with those of its regions; processes says how many */
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

void merged_rows_release(struct merged_rows *rows);

/* The row for the process's executable, added when it is the first. NULL: no memory. */
#define MERGED_EXECUTABLES_MAX 4096 /* further ones share the last row */
struct merged_row *merged_rows_executable(struct merged_rows *rows, const struct profile *profile);

/* Add what its process cost, and what is known of its regions. 0 or -ENOMEM. */
int merged_rows_add_facts(struct merged_row *row, const struct profile *profile);

/* What to call a process of that name: a program can give itself names without end, so after some it is "other". */
const char *merged_rows_comm(struct merged_row *row, const char *comm);

/*
 * Where merged profiles are written; `folder` as in output_file_write. `written` gets each one, described by its facts, and
 * the names of its files, which it frees.
 */
struct merged_output {
	int dir;
	unsigned int formats;
	const char *folder;
	void (*written)(void *arg, const struct profile *merged, char **files);
	void *arg;
};

/* Write for each row those samples of `all` that are the row's, and of its regions. 0 or the first error; the others are written all the same. */
int merged_rows_write(const struct merged_rows *rows, const struct profile *all,
		      bool (*is_of_row)(const struct profile_labels *labels, const void *row),
		      const struct merged_output *output);

#define BY_CONTAINER_MAX 4096 /* containers with a profile of their own; the one of all has further ones too */

/* The profiles of many processes, merged into one of them all and one for each container they were in. */
struct by_container;

struct by_container *by_container_new(void); /* NULL: no memory */
void by_container_free(struct by_container *containers);

/* As merge_add, with the profile's regions. The container is that of the profile and of its labels. */
int by_container_add(struct by_container *containers, const struct profile *profile,
		     const struct profile_labels *labels);

/* Add everything that was added to `from`. 0 or -ENOMEM. */
int by_container_copy(struct by_container *containers, const struct by_container *from);

/* With what is merged of their regions. The containers own both. */
const struct profile *by_container_all(const struct by_container *containers);

/* How many entries their samples are, with those of regions. */
u32 by_container_samples(const struct by_container *containers);

/* Write container.<id> of each container and then `all`. 0 or the first error; the others are written all the same. */
int by_container_write(const struct by_container *containers, const struct merged_output *output);
