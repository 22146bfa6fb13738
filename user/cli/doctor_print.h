/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_DOCTOR_PRINT_H
#define CLI_DOCTOR_PRINT_H
/* What would be probed, in which files and at which sites, printed to standard output. Returns enum status. */
#include "cli/doctor_scan.h"

/* Text that others chose, fit for a terminal. Static storage. */
const char *doctor_print_plain(const char *text);

/* The allocator files of one program; STATUS_NO_TARGET, with what was searched, when there are none. */
int doctor_print_files(const struct binaries *binaries);

/* Those of many processes, the most used first; and the processes that nothing will be known of. */
void doctor_print_scan(const struct doctor_scan *scan);

#endif
