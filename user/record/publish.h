/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * When profiles are written, and by which thread: while recording goes on, snapshots of living images and images that
 * have ended, by the thread of a batch; at the end finish.h takes over.
 */
#include "record/output_dir.h"
#include "record/record.h"
#include "record/snapshot_batch.h"

#define PUBLISH_SUMMARY_SITES 10 /* in the tables printed at the end */

/* Where several processes are merged: some two hundred megabytes with their stacks. */
#define PUBLISH_SAMPLES_MAX (1u << 20)

struct kernel;

struct publication {
	const struct record_options *options;
	struct recorder *recorder;
	const struct output_dir *output;
	const char *attach;
	u64 start_ns, start_unix_ns, duration_ns;
	u32 samples_max; /* see aggregate_options */
	/* adds what was counted of a living image, and is not in its ledger yet; 0 or negative errno */
	int (*peek_tally)(const struct kernel *kernel, u32 process, u64 ledger[COUNTER_MAX]);
	const struct kernel *kernel;
	/* made here, from the first profile to publish_release */
	struct symbolizer *symbolizer;
	struct aggregate *aggregate;
	struct snapshot_batch batch;
	unsigned int seq;
	u64 taken_ns, ended_samples;
	bool requested, failed;
};

/* Is a target of several processes traced, which are merged, and forgotten when they end? */
bool publish_merges(const struct publication *publication);

/* Are profiles still being written? Logs the outcome once they are not any more. */
bool publish_busy(struct publication *publication);

/*
 * Unless busy: take a snapshot of every living image, as published, and have it written under the next number.
 * `requested`: as it is now, after completing a cycle. What cannot be written is logged, and remembered in `failed`.
 */
void publish_now(struct publication *publication, u64 now_ns, bool requested);

/*
 * Unless busy, where processes are merged: have images that have ended written and forgotten, so that memory does not
 * grow with them. Errors as with publish_now.
 */
void publish_ended(struct publication *publication);

/* The one line that shows on a terminal while recording. */
void publish_progress(struct publication *publication, u64 elapsed_ns);

/* Wait for what is being written. False: there is no aggregate, nor memory for one. */
bool publish_stop(struct publication *publication);
void publish_release(struct publication *publication);

/* Log that `what` could not be written. */
void publish_say_failure(const struct publication *publication, const char *what, int err);
