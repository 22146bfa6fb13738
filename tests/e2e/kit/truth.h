/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Reads a log of the preload shim and computes what a perfect profile of the run has. */
#include <sys/types.h>

#include "tally.h"
#include "e2e/shims/truth_log.h"

struct truth {
	const struct truth_header *header;
	const struct truth_record *records;
};

/* Map the newest log of process `pid` under `prefix` (see TRUTH_VARIABLE). 0 or negative errno. */
int truth_open(const char *prefix, pid_t pid, struct truth *ret_truth);
/* The log of that name. */
int truth_open_file(const char *path, struct truth *ret_truth);
void truth_close(struct truth *truth);

/* Records so far; a point in time while the process stands still. */
uint64_t truth_count(const struct truth *truth);

/*
 * What the process `pid` allocated from record `from` on, and what of it is still in use at the end. Blocks that are
 * older than `from` are unknown, as they are to a tracer attached then. 0; -EBADMSG: calls are missing in the log, or
 * it hands out an address twice.
 */
int truth_tally(const struct truth *truth, uint64_t from, pid_t pid, struct tally *ret_tally);
