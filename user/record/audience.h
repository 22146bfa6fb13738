/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Who gets the profiles of a recording besides its directory: each one that is made for it, with its names, when it is made. Called by one
 * thread at a time, which is never the one that empties the ring while there is something in it: that of a batch, and at the end the main one.
 * Profiles that fall due meanwhile wait, so it should take no longer than writing does.
 */
#include "profile/profile.h"

struct audience {
	/* Before anything is traced. STATUS_DONE, or the status to end with, the reason logged. */
	int (*begin)(void *arg);
	/*
	 * The profile stays the recording's; NULL: it was not made, for want of memory, or as a Go program's own beyond --keep. `process`: the image's number. `last`: none follows of
	 * that image, which has ended, or the recording has.
	 */
	void (*profile)(const struct profile *profile, u32 process, bool last, void *arg);
	/* Those of all images have come, as they were at `taken_ns` (CLOCK_MONOTONIC). */
	void (*complete)(u64 taken_ns, void *arg);
	/* The files are complete, and nothing follows. The status that it adds, the reason logged. */
	int (*finish)(void *arg);
	void *arg;
};
