/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What `record` prints at its end, to be read in a hurry: on a terminal of 80 columns and 24 lines nothing scrolls away, and
 * room for three messages is left. What grows comes before the sites. A loss is never left out: where not all kinds fit in a
 * line, their sum does. table_profile.h has the rest.
 */
#include <stdio.h>

#include "format/index_write.h"
#include "view/overview.h"

/* At most, and one more if the ledger does not balance; with --mappings TABLE_REGIONS_LINES more. */
#define TABLE_SUMMARY_LINES 21

/* One process. `columns` as table_view.h has it. */
void table_summary_print(const struct overview *overview, unsigned int columns, FILE *out);

/* Those of these lines that name what grows: none if nothing does. */
void table_summary_print_growing(const struct overview *overview, unsigned int columns, FILE *out);

/* Several processes. */
struct table_summary {
	const struct index_entry *entries;
	u32 count;
	const struct cgroup_usage *group; /* of the group that was recorded; NULL: none */
	const struct overview *all;	  /* of what is merged; NULL: nothing is */
	const char *sites; /* else: what table_summary_print_sites printed of the process that matters most; or NULL */
	char *const *growing; /* what table_lifetimes_growing says, as far as it is kept; NULL-terminated */
	u32 growing_sites;    /* how many sites grow, of all processes */
};

void table_summary_print_several(const struct table_summary *summary, unsigned int columns, FILE *out);

/* The first sites of a process, which is named above them. */
void table_summary_print_sites(const struct overview *overview, unsigned int columns, FILE *out);
