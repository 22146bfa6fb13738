/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_SPARE_H
#define RECORD_SPARE_H
/*
 * COMMAND started so that probes which are to meet its children too meet nobody else: the allocator files that it and
 * its children will map are copies of its own (file_copies.h).
 */
#include <signal.h>

#include "include/types.h"
#include "system/workload.h"

struct custom_allocator;
struct binaries;

struct spare {
	struct binaries *target; /* COMMAND's files, the copies among them: the caller's; NULL without stand-ins */
	unsigned int count;	 /* of copies; 0: nobody is spared */
	const char *reason;	 /* why there are none, to follow "because"; static storage; NULL with copies */
};

/*
 * As workload_start, with stand-ins, or without them where they cannot be had; `pools` are those of --alloc. 0 or
 * negative errno: COMMAND could not be started either way, and *ret_spare holds nothing.
 */
int spare_start(const struct custom_allocator *pools, char *const *argv, char *path, const sigset_t *mask,
		struct workload *ret_command, struct spare *ret_spare);

/*
 * What spare_start would come to, as far as can be told without starting COMMAND: the copies are made and thrown away.
 * ret_spare->target, the caller's, holds the files themselves (NULL: no memory).
 */
void spare_rehearse(const struct custom_allocator *pools, const char *path, struct spare *ret_spare);

#endif
