/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Reading what the memory of a process consists of (memory_parts.h), in two steps. The thread that owns a heap notes what it knows of it, which is quick.
 * The reading itself may take as long as the process is large, and any thread does it, soon.
 *
 * What was read is kept for later: once a process has ended, its last reading is all there is.
 */
#include <sys/types.h>

#include "profile/memory_parts.h"

struct profile;

/* The last reading of one image, which the image and those who read share; holders count. Safe between threads. */
struct last_memory;

struct last_memory *last_memory_new(void); /* NULL: no memory */
struct last_memory *last_memory_hold(struct last_memory *last);
void last_memory_release(struct last_memory *last);	       /* NULL is fine */
struct memory_parts last_memory_get(struct last_memory *last); /* of NULL: unknown */

/*
 * May one who shows a picture again and again have it read anew? A second after the last reading, or later: a hundredth of the time
 * at most is spent on reading. A snapshot that was asked for is always read.
 */
bool last_memory_is_due(struct last_memory *last);

/* What is known of a heap at one moment. */
struct memory_notes {
	int smaps; /* from smaps_open */
	pid_t pid;
	/* CLOCK_REALTIME less CLOCK_MONOTONIC when the recording began: readings are told by its time, whatever the clock is set to later. */
	u64 unix_offset_ns;
	u64 *places; /* of struct memory_map; owned */
	u32 place_count;
	bool inuse_known;
	u64 inuse;
	double inuse_error;
	struct last_memory *last; /* where the reading goes too */
};

/* Read it, and free the notes. Unknown parts where that fails: the process has gone, or may not be read. */
struct memory_parts memory_read(struct memory_notes *notes);
void memory_notes_free(struct memory_notes *notes); /* NULL is fine */

/* As its memory_notes say, which are gone then. Without notes, or where reading fails, it keeps the reading that it has. */
void profile_read_memory(struct profile *profile);
