/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_H
#define RECORD_H
#include "cli/cli.h"

/* `heaptap record`: trace, write, summarize. Returns the status to exit with. */
int record_run(const struct options *options);

#endif
