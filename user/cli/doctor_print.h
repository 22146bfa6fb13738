/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What would be probed, in which files and at which sites, and which other processes would pay: on standard output. */
#include "cli/doctor_scan.h"
#include "trace/calibrate.h"

/* The links whose hits other processes pay for. */
enum doctor_links {
	LINKS_NONE,	/* all are filtered, or there are no other processes */
	LINKS_THROWING, /* those on the functions that throw (tracee.h says why) */
	LINKS_EVERY,	/* all are unfiltered */
};

/* Text that other programs chose, fit for a terminal. Static storage. */
const char *doctor_print_plain(const char *text);

/* The allocator files of one program. STATUS_DONE; STATUS_NO_TARGET, with what was searched, when there are none. */
int doctor_print_files(const struct binaries *binaries);

/* The allocator files of many processes, the most used first; and the processes that cannot be traced. */
void doctor_print_scan(const struct doctor_scan *scan);

/*
 * How many other processes map the files under these links, and would pay. `pids`: those that are traced; they get
 * sorted. `calibration` NULL: what a hit costs is not known. `why` there are no others to pay where that is so.
 */
void doctor_print_payers(const struct binaries *binaries, enum doctor_links links, struct pid_list *pids,
			 const struct calibration *calibration, const char *why);
