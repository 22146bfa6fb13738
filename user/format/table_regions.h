/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What system calls mapped (PROFILE_REGIONS): the program's and the allocator's apart, and the sites that mapped most. */
#include <stdio.h>

#include "format/table_view.h"
#include "profile/profile.h"

/* Sums, sites by what is still mapped, and the ledger. */
void table_regions_print(const struct profile *regions, const struct table_view *view, FILE *out);

/* A line of what is lost, if anything is: how many lines it printed. `ledger` is that of regions. */
unsigned int table_regions_print_losses(const u64 ledger[COUNTER_MAX], unsigned int columns, FILE *out);

/* A line of sums, one of losses, and the first sites, for the summary. `columns` as table_view.h has it. */
#define TABLE_REGIONS_LINES 4
void table_regions_print_brief(const struct profile *regions, unsigned int columns, FILE *out);
