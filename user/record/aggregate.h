/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The one way from an image to its files. Each image that is added is named, and gets a file and a line of the index of
 * its own, or is merged with others of its executable once `keep` images have files, or there are samples_max samples.
 * Beside that, where several processes are merged, there is one profile of them all and one for each container.
 *
 * Memory grows with `keep`, with executables and containers (bounded too) and with distinct stacks, but not with
 * processes; where nothing is merged, with the lines of the index, some two kilobytes an image. For one thread at a time.
 */
#include <regex.h>

#include "format/index_write.h"
#include "heap/recorder.h"
#include "record/advice.h"

struct aggregate;
struct symbolizer;

struct aggregate_options {
	int dir; /* where files go */
	unsigned int formats;
	bool merges;		     /* several processes into one profile; false: each has files of its own */
	u32 keep;		     /* ended images with samples or regions that have a file, and as many without */
	u32 samples_max;	     /* of all together, after which images that end are merged; 0: no limit */
	u64 start_ns, start_unix_ns; /* one moment on both clocks */
	const struct recorder_options *recorder;
	struct symbolizer *symbolizer;
	size_t symbols_max;	  /* bytes that it may keep between two interim profiles (symbolizer_trim) */
	const regex_t *site_skip; /* functions that sites pass over; NULL: none */
	/* Gets each profile, named, whatever becomes of its files, as struct audience says. */
	void (*each)(const struct profile *profile, u32 process, bool last, void *arg);
	/* aggregate_interim_finish has written those of one number; the same. */
	void (*complete)(void *arg);
	void *arg;
};

struct aggregate *aggregate_new(const struct aggregate_options *options); /* NULL: no memory */
void aggregate_free(struct aggregate *aggregate);

/*
 * Add an image, as it is at `now_ns`, for good. What is still in use then is published: its model collector completes a
 * cycle. Its heap is freed. 0 or the first error; without memory for its profile it is left out, otherwise it is added all the same.
 */
int aggregate_add(struct aggregate *aggregate, struct image *image, u64 now_ns);

/*
 * While recording goes on: name the profile of a living image (its number is `process`), write it into the folder of
 * snapshot `seq`, and merge it into what aggregate_interim_finish writes. The index lists the files with the image's last.
 * 0 or the first error.
 */
int aggregate_interim(struct aggregate *aggregate, u32 process, struct profile *profile, unsigned int seq);

/*
 * After those of one number: write what is merged of them and of all images added, unless `seq` is 0. It may be long
 * until more is written, so names are kept, and the debug information they are from is dropped. 0 or the first error.
 */
int aggregate_interim_finish(struct aggregate *aggregate, unsigned int seq);

/*
 * Once, at the end: write what is merged, of executables, containers and all; where nothing is, put the lines in the order
 * in which the images began. 0 or the first error.
 */
int aggregate_finish(struct aggregate *aggregate);

#define AGGREGATE_GROWING 10

/* What was added so far, and after aggregate_finish all of it. The aggregate owns it. */
struct aggregate_result {
	struct index_table processes, merged; /* lines of the index: `merged` is of containers and of all */
	const struct profile *all;	      /* what is merged of all */
	u64 by_executable;		      /* processes merged by executable */
	u32 executables;		      /* how many executables these are */
	bool crowded;			      /* some were merged because of samples_max */
	u32 own_files;			      /* processes with files of their own */
	u32 go_files, go_dropped;	      /* Go programs' own profiles: with files; of ended ones beyond `keep` */
	u32 go_torn;			      /* of the first, not read at every try: see go_reading */
	u32 growing_sites, growing_processes; /* see table_lifetimes_growing */
	char *growing[AGGREGATE_GROWING];     /* what it says of the first of them */
	struct advice advice;
	u32 perfmaps_refused;	      /* processes whose perf map was not used */
	const char *perf_map_refused; /* why the first of them was not, and its pid */
	u32 perf_map_pid;
};

const struct aggregate_result *aggregate_result(const struct aggregate *aggregate);
