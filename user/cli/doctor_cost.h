/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_DOCTOR_COST_H
#define CLI_DOCTOR_COST_H
/* Who else would pay for a recording, and how much, printed to standard output. */
#include "trace/calibrate.h"
#include "system/pid_list.h"
#include "probe/binaries.h"

enum doctor_cost_links {
	TOLL_EVERY,    /* unfiltered ones on every allocator file */
	TOLL_THROWING, /* on the functions that throw alone (tracee.h says why) */
};

/*
 * Print who else maps the files under these links. `pids`: who is traced, in the order of doctor_cost_compare_pids.
 * `calibration` NULL: what a hit costs is not known. False, with nothing printed, when no file has such links.
 */
bool doctor_cost_print(const struct binaries *binaries, enum doctor_cost_links links, const struct pid_list *pids,
		       const struct calibration *calibration);

/* Of links that meet nobody but those traced; `why` in a few words. */
void doctor_cost_print_none(const char *why);

/* For qsort. */
int doctor_cost_compare_pids(const void *left, const void *right);

#endif
