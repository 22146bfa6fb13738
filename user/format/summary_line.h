/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Lines that `record`, `report`, `top` and the page have alike, without the ends of lines: figures of view/, in the same words. */
#include "base/units.h"
#include "view/overview.h"
#include "view/population.h"

#define SUMMARY_LINE_SIZE 256

/*
 * "  in use        7.0 MiB ±1.9 MiB in 12 ±3 objects, 10 samples", or what was allocated; "= 4 000 B in 4 objects" where every
 * allocation was recorded. Returns `line`, as the others do.
 */
const char *summary_line_total(const struct profile *profile, const struct profile_site *sums, bool inuse,
			       char line[SUMMARY_LINE_SIZE]);

/* "  in use        7.0 MiB ±1.9 MiB in 3 processes; 2 ended with 1.0 MiB", in 80 columns up to 9 999 ended processes. */
const char *summary_line_population(const struct population *population, char line[SUMMARY_LINE_SIZE]);

/* "  growth        1.0 MiB/s ±20.0 KiB, limit reached in 38 s" of one process, or why there is none; `early` stands behind "too early". */
const char *summary_line_growth(const struct overview *overview, const char *early, char line[SUMMARY_LINE_SIZE]);

/* "a sample per 512 KiB", or "every allocation". */
struct units_text summary_line_interval(u64 sample_bytes);

/* ", limit reached in 38 s": when what grows so fills the group's memory; or nothing. */
struct units_text summary_line_limit(const struct profile *profile, const struct lifetime_summary *summary);
