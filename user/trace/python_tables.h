/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A CPython that was built with PGO runs copies of its allocator's code in the callers, which no probe sees, as long as the tables of its
 * allocator have the functions that the compiler expected. For the time of a recording heaptap writes another way into the same
 * functions there (probe/pymalloc.h): eight pointers, while all threads stand still, each only if it is what the file has.
 * The process runs the same code with them; one that heaptap leaves behind when it is killed, between any two of them, runs on as well. The next heaptap that
 * traces it takes them for its own and gives them back at its end, or at once where it leaves CPython's allocator alone. What others have put
 * there (tracemalloc, PYTHONMALLOC, an extension) stays: they call through pointers of their own.
 */
#include <sys/types.h>

#include "include/types.h"
#include "trace/python_pointers.h"

struct binary;
struct image;
struct tracee;
struct tracer;

struct python_tables {
	const struct binary *file; /* the interpreter; NULL: the process has none, or it has not been looked for */
	struct python_pointers pointers; /* of the file's tables in the process */
	u64 until_ns;			 /* when to give up; 0: nothing is to be done */
	u64 executed_ns;		 /* when the program began, if it was traced then */
	bool turned;			 /* the other way stands there */
};

/*
 * For a process that has just begun to run a program, stands still, and is not known to the tracer yet: 0: its interpreter has not been
 * loaded yet; 1: it has the other way from its first call on, or cannot have it.
 */
int python_tables_start(const struct tracer *tracer, pid_t pid);

/* It has executed a program, at that time. */
void python_tables_executed(struct tracee *tracee, u64 time_ns);

/* Its mappings have changed, or it is new: look at it when the events have been taken in. */
void python_tables_due(struct tracer *tracer, struct tracee *tracee);

/* Look at those that are due, once their probes are in place. One whose moment is not right, or that is being loaded still, is asked again. */
void python_tables_look(struct tracer *tracer);

/* Write what the file has again. */
void python_tables_restore(struct tracee *tracee);
