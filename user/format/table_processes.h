/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The processes of a recording as tables for people: those that grow or were ended by the OOM killer first, then those that
 * live, then those that have ended; in each of the three by what they had in use, or by what their resident memory has grown by
 * where that is more, and a minute of growth.
 */
#include <stdio.h>

#include "format/index_write.h"

/* The process's place in that order: a larger number comes first. */
u64 table_processes_rank(const struct index_entry *entry);

/*
 * `top` at most, in 132 columns, with resident memory, growth, verdict, the time in which all that grow in a process's group
 * reach the group's memory limit, and how it ended; below the table how many more there are.
 */
void table_processes_print(const struct index_entry *entries, u32 count, unsigned int top, FILE *out);

/* The same in few columns (as table_view.h has them), where a line below says what shows the rest. */
void table_processes_print_brief(const struct index_entry *entries, u32 count, unsigned int top, unsigned int columns,
				 FILE *out);

/* What all processes together grow by. */
struct processes_growth {
	u32 processes;	     /* living ones that grow; 0: none does, or it is not known */
	double bytes, error; /* a second, and its standard error */
	double left_s;	     /* until the first group with a limit reaches it; INFINITY: none does */
	bool known;	     /* of any, given enough seconds */
	u32 ticks;	     /* seconds of the process that was seen longest */
};

struct processes_growth table_processes_growth(const struct index_entry *entries, u32 count);

/* The processes with losses, most first, and what was lost. Prints nothing if there are none. */
void table_processes_print_losses(const struct index_entry *entries, u32 count, unsigned int top, FILE *out);
