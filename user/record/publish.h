/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_PUBLISH_H
#define RECORD_PUBLISH_H
/* From a recording to files, now and then while it runs, and to a summary at its end. */
#include "record/record.h"
#include "record/output_dir.h"
#include "heap/recorder.h"
#include "record/ended_images.h"

/* Of a population, merged: some two hundred megabytes with their stacks. */
#define PUBLISH_SAMPLES_MAX (1u << 20)

struct tracer;

struct publication {
	const struct record_options *options;
	struct recorder *recorder;
	struct output_dir *output;
	const char *attach;
	u64 start_ns, start_unix_ns, duration_ns;
	u32 samples_max; /* of what is merged of a population, see aggregate_options */
	/* adds what was counted of a living image, and is not in its ledger yet; 0 or negative errno */
	int (*peek_tally)(const struct tracer *tracer, u32 process, u64 ledger[COUNTER_MAX]);
	const struct tracer *tracer;
	/* made here, from the first profile to publish_release */
	struct symbolizer *symbolizer;
	unsigned int seq;
	struct interim *interims;
	bool failed;
	struct aggregate *aggregate; /* of a population */
	u64 retired_samples;
	/* of those being written */
	struct ended_images retirement;
	unsigned int seq_written;     /* 0: only what has ended */
	struct snapshot_batch *batch; /* NULL: none */
	u64 taken_ns;
	bool requested;
};

/* Are profiles still being written? Says so once they are not any more. */
bool publish_busy(struct publication *publication);

/*
 * Unless busy: take a snapshot of every image that has not ended, as published, and have it written under the next
 * number; `requested`: after completing a cycle, so as it is. What cannot be written is said, and remembered for
 * publish_all to return.
 */
void publish_now(struct publication *publication, u64 now_ns, bool requested);

/*
 * Unless busy: of a population, have the images that have ended written and forgotten, so that memory does not grow with
 * them. Says what cannot be written as publish_now does.
 */
void publish_ended(struct publication *publication);

/*
 * Wait for what is being written, then write every image's files and index.json, of a population what is merged too, and
 * print the summary on stderr. STATUS_DONE; STATUS_FAILED with the reason said; or STATUS_FOUND by --fail-on; the
 * summary is printed in any case.
 */
int publish_all(struct publication *publication);
void publish_release(struct publication *publication);

/* The one line that shows on a terminal while recording. */
void publish_progress(struct publication *publication, u64 elapsed_ns);

/* For finish.h: wall time of a moment of the recording; is there a aggregate, or memory for one? */
u64 publish_unix_ns(const struct publication *publication, u64 monotonic_ns);
bool publish_open_census(struct publication *publication);
void publish_say_failure(const struct publication *publication, const char *what, int err);

#endif
