/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * When profiles are written, and by which thread: while recording goes on, snapshots of living images and images that
 * have ended, by the thread of a batch; at the end, all images that are left, the index and the summary.
 */
#include <regex.h>

#include "record/audience.h"
#include "record/output_dir.h"
#include "record/tracing.h"
#include "record/snapshot_batch.h"
#include "record/summary.h"
#include "record/trigger.h"

/* Where several processes are merged: some two hundred megabytes with their stacks. */
#define PUBLISH_SAMPLES_MAX (1u << 20)

struct kernel;

struct record_options {
	struct tracing_options tracing;
	const char *output;   /* NULL: heaptap-<UTC time>/ */
	unsigned int formats; /* mask of enum format */
	bool force, fail_on_growing;
	bool quiet;	   /* no summary */
	bool whole_tables; /* the summary has all of them, with whole stacks */
	double interval_s; /* 0: no profiles but the last */
	struct trigger triggers[TRIGGERS_MAX];
	u32 trigger_count;
	u32 keep;		  /* where several processes are merged: ended ones that have files of their own */
	u32 mode;		  /* permissions of the files */
	const regex_t *site_skip; /* functions that sites pass over; NULL: none beside those that are known */
	char **argv;		  /* everything after "record", for index.json */
	/* What else is to be made of the files, when all are complete; NULL: nothing. Returns a status, the reason logged. */
	int (*finished)(const char *directory, const void *arg);
	const void *finished_arg;
	const struct audience *audience; /* NULL: none */
};

struct publication {
	const struct record_options *options;
	struct recorder *recorder;
	const struct output_dir *output;
	const char *attach;
	u64 start_ns, start_unix_ns, duration_ns;
	u64 processes_missing, processes_refused; /* set before publish_finish, as struct recording has them */
	struct cgroup_usage group;		  /* the same */
	u32 samples_max;			  /* see aggregate_options */
	/* see struct peek */
	int (*peek_tally)(const struct kernel *kernel, u32 process, u64 ledger[COUNTER_MAX]);
	const struct kernel *kernel;
	/* made here, from the first profile to publish_release */
	struct symbolizer *symbolizer;
	struct aggregate *aggregate;
	struct summary summary;
	struct snapshot_batch batch;
	unsigned int seq;
	u64 taken_ns; /* CLOCK_MONOTONIC: when the profiles of this number were */
	u64 ended_samples;
	bool requested, failed;
	bool backlog; /* more images have ended than a batch takes: the next one should not wait */
	int end_err;  /* 0, or why `unwritten` could not be written at the end */
	const char *unwritten;
};

/* Are profiles still being written? Logs the outcome once they are not any more. */
bool publish_busy(struct publication *publication);

/*
 * Unless busy: take a snapshot of every living image, as published, and have it written under the next number.
 * `requested`: as it is now, after completing a cycle. What cannot be written is logged, and remembered in `failed`.
 */
void publish_now(struct publication *publication, u64 now_ns, bool requested);

/*
 * Unless busy: have images that have ended written and forgotten, so that memory does not grow with them. Errors as with
 * publish_now.
 */
void publish_ended(struct publication *publication);

/* The one line that shows on a terminal while recording. */
void publish_progress(struct publication *publication, u64 elapsed_ns);

/*
 * Wait for what is being written, add every image that is left to the aggregate, write what is merged and index.json,
 * and print the summary on stderr, also when something cannot be written. STATUS_DONE; STATUS_FAILED with the reason
 * logged; or STATUS_FOUND by --fail-on, which is logged even with -q, being the answer to a question.
 */
int publish_finish(struct publication *publication);
void publish_release(struct publication *publication);
