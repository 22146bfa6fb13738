/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROSPECT_H
#define PROSPECT_H
/* What would be probed, in which files and at which sites, printed to standard output. Returns enum status. */
#include "cli/survey.h"

/* Text that others chose, fit for a terminal. Static storage. */
const char *prospect_plain(const char *text);

/* The allocator files of one program; STATUS_NO_TARGET, with what was searched, when there are none. */
int prospect_print_files(const struct binaries *binaries);

/* Those of many processes, the most used first; and the processes that nothing will be known of. */
void prospect_print_survey(const struct survey *survey);

#endif
