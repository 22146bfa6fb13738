/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the memory of a process consists of (profile/memory_reading.h) cannot be read once it has ended. So it is read on the way, by a thread
 * of its own: when a process has its first samples, and whenever it is a quarter larger than at its last reading, whoever wanted that one.
 * The last reading of one that grew is then from near its peak.
 *
 * One process is read at a time, first the one that has grown most, and not more than a hundredth of the time is spent on it.
 */
#include "base/thread.h"
#include "heap/recorder.h"

struct memory_watch {
	struct thread thread;
	struct memory_notes *notes; /* the thread's */
	u64 resident, taken_ns;	    /* what it read, and how long that took */
	u32 pid;
	u64 due_ns;	     /* when the next one may begin */
	struct image *grown; /* in a round of looks: the one to read; NULL: none has grown */
	u64 grown_by;
};

/* An image that lives, whose resident size has just been seen. */
void memory_watch_see(struct memory_watch *watch, struct image *image);

/* All have been seen: begin to read one of them, if it is time. */
void memory_watch_read(struct memory_watch *watch, const struct recorder_options *options, u64 now_ns);

/* Wait for what is being read. */
void memory_watch_end(struct memory_watch *watch);
