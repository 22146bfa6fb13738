/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TOLL_H
#define TOLL_H
/* Who else would pay for a recording, and how much, printed to standard output. */
#include "calibrate.h"
#include "pidlist.h"
#include "target.h"

/*
 * Of unfiltered links on all allocator files of `target`. `pids`: who is traced, in the order of toll_compare_pids.
 * `calibration` NULL: what a hit costs is not known.
 */
void toll_print(const struct target *target, const struct pidlist *pids, const struct calibration *calibration);

/* Of links that meet nobody but those traced; `why` in a few words. */
void toll_print_nobody(const char *why);

/* For qsort. */
int toll_compare_pids(const void *left, const void *right);

#endif
