/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Snapshots of images that live while events still come in: by the thread that empties the ring. */
#include "heap/recorder.h"
#include "heap/snapshot.h"

struct kernel;

struct peek {
	const struct recorder *recorder;
	/* adds what was counted of a living image, and is not in its ledger yet; 0 or negative errno */
	int (*tally)(const struct kernel *kernel, u32 process, u64 ledger[COUNTER_MAX]);
	const struct kernel *kernel;
	u64 start_ns, start_unix_ns; /* one moment on both clocks */
	u64 now_ns;		     /* every event up to then has been taken in */
	unsigned int parts;	     /* what is wanted, see snapshot_draft_make */
	bool again;		     /* who asks does so again and again: memory is read when last_memory_is_due */
};

struct profile;

/*
 * With SNAPSHOT_MEMORY the profile of a process that lives has memory_notes: profile_read_memory, by any thread, soon.
 *
 * The image as published; its ledger is complete, what is on its way counts as in flight. One that has ended has what was in
 * use at its end. *ret_draft is the caller's, to finish when it likes. 0 or negative errno.
 */
int peek_image(const struct peek *peek, struct image *image, struct snapshot_draft **ret_draft);

/* What the image, of a Go program, says of itself (go_profile_make); with such notes if there is no other profile of it. */
int peek_go(const struct peek *peek, struct image *image, struct profile **ret_profile);
