/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PUBLISH_H
#define PUBLISH_H
/* From a stopped recording to files and a summary. */
#include "cli.h"
#include "output.h"
#include "recorder.h"

struct publication {
	const struct options *options;
	struct recorder *recorder;
	struct output *output;
	const char *attach;
	u64 start_ns, start_unix_ns, duration_ns;
};

/*
 * Write every image's files and index.json, print the summary on stderr. STATUS_DONE, or STATUS_FAILED with the reason
 * said; the summary is printed in any case.
 */
int publish_all(const struct publication *publication);

/* The one line that shows on a terminal while recording. */
void publish_progress(struct recorder *recorder, u64 elapsed_ns);

#endif
