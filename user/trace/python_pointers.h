/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The pointers in the tables of one process's CPython (probe/pymalloc.h): each is the function, as the file has it, or the other way into it, which
 * heaptap writes (python_tables.h). Each is one store of eight bytes, so that the process may be left with any number of them turned.
 */
#include <sys/types.h>

#include "include/types.h"
#include "probe/binaries.h"

struct mapping;

/* Valid as long as the file is open. */
struct python_pointers {
	const struct pymalloc *pymalloc; /* of the interpreter's file */
	u64 moved_by;			 /* the process's addresses less the file's */
};

enum python_pointer_state {
	PYTHON_POINTER_DEFAULT, /* the function */
	PYTHON_POINTER_TURNED,	/* the other way */
	PYTHON_POINTER_OTHER,	/* somebody else's, or not written by the loader yet */
	PYTHON_POINTER_STATES
};

/* Is that the mapping, of this file, that has the functions' code? */
bool python_pointers_find(const struct binary *file, const struct mapping *mapping, struct python_pointers *ret);

/* How many are of each state, while the process runs. 0 or negative errno. */
int python_pointers_count(pid_t pid, const struct python_pointers *pointers, u32 ret_counts[PYTHON_POINTER_STATES]);

/*
 * Turn those that are the function, or with `back` turn back those that are not. `memory`: a descriptor of the memory of the process, which stands
 * still. 0 or negative errno.
 */
int python_pointers_write(int memory, const struct python_pointers *pointers, bool back);

/*
 * The same, for which all threads stand still meanwhile. 0; or -EBUSY: a child runs in the process's memory; or as stopped_threads_do, whose
 * *ret_stopped_ns it is.
 */
int python_pointers_turn(pid_t pid, const struct python_pointers *pointers, bool back, u64 *ret_stopped_ns);
