/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_BY_EXECUTABLE_H
#define RECORD_BY_EXECUTABLE_H
/* Executables whose processes are merged, each with the sum of what its processes cost. */
#include <uthash.h>

#include "base/intern.h"
#include "profile/profile.h"

#define EXECUTABLES_MAX 4096 /* further ones share the last row */

struct executable {
	struct profile facts; /* exe, comm and stem are its own; processes says how many */
	u32 group;	      /* 1, 2, 3 ...: as in struct profile_labels */
	struct intern comms;  /* its processes' names, as far as they are told apart */
	UT_hash_handle hh;
	char path[];
};

/* Valid when zeroed. */
struct executable_table {
	struct executable *executables;
	struct intern stems;
};

/* The row for the process's executable, made when it is the first. NULL: no memory. */
struct executable *by_executable_get(struct executable_table *table, const struct profile *profile);

/* What its processes of that name are called: a program can give itself names without end, so in the end "other". */
const char *by_executable_comm(struct executable *executable, const char *comm);

void by_executable_table_release(struct executable_table *table);

#endif
