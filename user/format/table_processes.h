/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The processes of a recording as tables for people, in the order of index_entry_rank. */
#include <stdio.h>

#include "format/index_write.h"

/*
 * `top` at most, in 132 columns, with resident memory, growth, verdict, the time in which all that grow in a process's group
 * reach the group's memory limit, and how it ended; above it what all have in use, below it how many more there are.
 */
void table_processes_print(const struct index_entry *entries, u32 count, unsigned int top, FILE *out);

/* The same in few columns (as table_view.h has them), where a line below says what shows the rest. */
void table_processes_print_brief(const struct index_entry *entries, u32 count, unsigned int top, unsigned int columns,
				 FILE *out);

/* The processes with losses, most first, and what was lost. Prints nothing if there are none. */
void table_processes_print_losses(const struct index_entry *entries, u32 count, unsigned int top, FILE *out);
