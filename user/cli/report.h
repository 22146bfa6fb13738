/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_H
#define REPORT_H
/* The verb `report`: saved profiles to standard output. */
#include "cli/cli.h"

/*
 * Render options->path, a .pb.gz or a directory of them, as options->report_format. What index.json beside a profile
 * knows of it is shown too. Returns the exit status, everything having been said on stderr. Ignores SIGPIPE from then
 * on.
 */
int report_run(const struct options *options);

#endif
