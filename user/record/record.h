/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H
#include "heap/gc_model.h"
#include "record/selection.h"

struct record_options {
	struct selection_options target;
	double duration_s; /* 0: until the target ends */
	u64 sample_bytes;
	const char *output;   /* NULL: heaptap-<UTC time>/ */
	unsigned int formats; /* mask of enum format */
	bool force, alloc_only, no_new, show_allocator, fail_on_growing;
	bool quiet; /* no summary */
	struct gc_options gc;
	double interval_s; /* 0: no profiles but the last */
	u32 keep;	   /* of a population: ended processes with files of their own */
	char **argv;	   /* everything after the verb, for index.json */
};

/* `heaptap record`: trace, write, summarize. Returns the status to exit with. */
int record_run(const struct record_options *options);

#endif
