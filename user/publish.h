/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PUBLISH_H
#define PUBLISH_H
/* From a recording to files, now and then while it runs, and to a summary at its end. */
#include "cli.h"
#include "output.h"
#include "recorder.h"

struct publication {
	const struct options *options;
	struct recorder *recorder;
	struct output *output;
	const char *attach;
	u64 start_ns, start_unix_ns, duration_ns;
	/* made here, from the first profile to publish_release */
	struct symbolizer *symbolizer;
	unsigned int seq;
	struct interim *interims;
	bool failed;
	/* of those being written */
	struct interim_batch *batch; /* NULL: none */
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
 * Wait for what is being written, then write every image's files and index.json, print the summary on stderr. STATUS_DONE; STATUS_FAILED with the reason
 * said; or STATUS_FOUND by --fail-on; the summary is printed in any case.
 */
int publish_all(struct publication *publication);
void publish_release(struct publication *publication);

/* The one line that shows on a terminal while recording. */
void publish_progress(struct recorder *recorder, u64 elapsed_ns);

#endif
