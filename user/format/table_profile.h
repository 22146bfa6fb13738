/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A profile as a table for people: what `record` prints at its end and what `report` prints.
 * Estimates have their standard error and number of samples beside them; exact numbers (-R 1) do not.
 */
#include <stdio.h>

#include "format/table_view.h"
#include "profile/profile.h"

/*
 * One process: header (pid, comm, duration, interval), totals with standard errors and samples, peak in-use with its
 * time, RSS at start and end beside in-use, the first sites in the order of `by`, then of its counterpart
 * (allocated for in-use), each with samples and standard error, the lifetimes of its top sites, what tracing cost the target, and the ledger when anything was lost
 * or degraded. 0, or -ENOMEM: a table of sites is missing, and a line says so.
 */
int table_profile_print(const struct profile *profile, enum measure by, const struct table_view *view, FILE *out);

/* "pid comm exe, duration, interval" as a line. */
void table_profile_print_head(const struct profile *profile, FILE *out);
