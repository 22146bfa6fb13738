/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRACE_CLOSE_UNUSED_H
#define TRACE_CLOSE_UNUSED_H
/*
 * Files that nobody maps any longer are closed, and what was made of them is freed: on a machine that builds programs,
 * every one that runs is a new file. As a collector does it: what images map is marked, the rest swept, once there are
 * twice as many files as were left the last time.
 */
#include "include/types.h"

#define UNUSED_FILES_MIN 256 /* so many may stay: those of a machine that does the same over and over */
#define UNUSED_LINKS_MAX 64  /* files probed for everybody, although nobody may map them now */

struct follow;
struct symbolizer;

/* Valid when zeroed. */
struct close_unused {
	u32 due; /* at so many files; 0: UNUSED_FILES_MIN */
};

/*
 * Sweep if it is due; `symbolizer` may be NULL. To be called only while no other thread has profiles or images of the
 * recorder. Without memory nothing is swept.
 */
void close_unused_files(struct close_unused *sweep, struct follow *follow, struct symbolizer *symbolizer);

/*
 * Remove the links on files that no traced process has mapped for two calls in a row, for whom others pay: those of a
 * group always, those of the whole machine from UNUSED_LINKS_MAX on. Once a second.
 */
void close_unused_links(struct follow *follow);

#endif
