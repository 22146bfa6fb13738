/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The processes of a population as tables for people, at most 120 columns wide. */
#include <stdio.h>

#include "format/index_write.h"

/*
 * By bytes in use, then allocated, `top` at most, with growth, verdict, and the time in which all that grow in a process's
 * group reach the group's memory limit; below the table how many more there are.
 */
void table_processes_print(const struct index_entry *entries, u32 count, unsigned int top, FILE *out);

/* The processes with losses, most first, and what was lost. Prints nothing if there are none. */
void table_processes_print_losses(const struct index_entry *entries, u32 count, unsigned int top, FILE *out);
