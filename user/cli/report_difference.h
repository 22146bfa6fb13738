/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `heaptap report --base`: what happened between two profiles, or between those of two directories. */
#include "cli/report.h"
#include "format/table_view.h"

/* Log what makes the comparison of the two doubtful: other programs, or another order. Names are as the user gave them. */
void report_difference_warn(const struct profile *before, const char *before_name, const struct profile *after,
			    const char *after_name);

/*
 * Print to standard output what happened from options->base to options->path. Where either is a directory, its files are
 * paired with those of the other (profile_pairs.h), and those without a partner are logged. Returns the exit status; errors
 * are logged, except those of standard output, which stay for ferror().
 */
int report_difference(const struct report_options *options, const struct table_view *view);
