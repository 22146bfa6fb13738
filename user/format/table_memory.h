/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the resident memory of a process consists of, for people. */
#include <stdio.h>

#include "base/units.h"
#include "profile/profile.h"
#include "system/cgroup_usage.h"

/*
 * In one line: "212 MiB = 10 in use + 96 rest of heap + 20 stacks + 51 files + 35 others", each number in the unit of the first.
 * Parts below half of the last digit are left out; where `columns` do not hold the line, parts are put together: "212 MiB = 106 heap +
 * 106 more". Returns `text`; "" where it is unknown.
 */
#define TABLE_MEMORY_LINE_SIZE 256
const char *table_memory_line(const struct memory_parts *parts, unsigned int columns,
			      char text[TABLE_MEMORY_LINE_SIZE]);

/* How old what is known of its memory is: "0.4 s before the end"; "" of a process that lives, and where it is unknown. */
struct units_text table_memory_age(const struct profile *profile);

/* How large it was when: "2.0 MiB at the end, 1.0 MiB at the start, 3.0 MiB at most", as far as that is known. */
const char *table_memory_sizes(const struct profile *profile, char text[TABLE_MEMORY_LINE_SIZE]);

/* As table_memory_line, of a control group: "512 MiB = 300 anon + 150 file + 40 kernel + 2 sock; limit 1.0 GiB". */
const char *table_memory_group_line(const struct cgroup_usage *usage, unsigned int columns,
				    char text[TABLE_MEMORY_LINE_SIZE]);

/* What a group has, and what its processes have of it; nothing where it is unknown. */
void table_memory_print_group(const struct cgroup_usage *usage, const struct memory_parts *processes, FILE *out);

/* The table, a line for each part, indented; nothing where it is unknown. */
void table_memory_print(const struct profile *profile, FILE *out);
