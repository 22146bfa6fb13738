/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How long objects live, as a table for people. */
#include <stdio.h>

#include "format/table_view.h"
#include "profile/profile.h"

/*
 * Sites with in-use, bytes allocated a second, survival of one cycle and of `tenure`, median life, growth, verdict and
 * samples: those that grow first, then by in-use. Below the table: a sentence for each growing site,
 * the verdict on the process as a whole, and its cost under a collector. Where nothing is known, one sentence says so instead.
 */
void table_lifetimes_print(const struct profile *profile, const struct table_view *view, FILE *out);

/*
 * Give `each` a line for each site that grows: process, growth, site; or one for the process that grows as a whole while no
 * site does by itself. The number of lines; 0 also if there is no memory to tell.
 */
u32 table_lifetimes_growing(const struct profile *profile, void (*each)(const char *line, void *arg), void *arg);
