/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What heaptap itself has too little of: descriptors, memory, threads. A kernel that refuses for want of them lacks no
 * feature, and a file that is not opened for want of them may hold the allocator: the cause is to be named.
 */
#include <stdbool.h>

/* Is that negative errno one of a shortage? */
bool shortage_is(int err);

/*
 * Is the descriptor one of the last that the limit allows? Those are kept for what needs one for a moment only, as reading
 * /proc and writing files do: without one, a process that lives seems to have gone. What stays open must not take them.
 */
bool shortage_takes_spare(int fd);

/* Is there another descriptor besides those that are kept? 0 or -EMFILE. */
int shortage_check(void);

bool shortage_memory_is_limited(void); /* by RLIMIT_AS or RLIMIT_DATA */

struct shortage_text {
	char text[384];
};

/*
 * Which limit it is, its value, what heaptap has taken of it, and the next step, to follow a colon. For another errno: what
 * strerror says. By value: shortage_explain(err).text may stand among printf's arguments, and lives until the statement ends.
 */
struct shortage_text shortage_explain(int err);
