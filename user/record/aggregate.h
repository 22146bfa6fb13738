/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_AGGREGATE_H
#define RECORD_AGGREGATE_H
/*
 * All processes of a population, as far as they have been written: a line for the index each, what is gathered of all
 * and of containers, and, once `keep` of them have files of their own, one line for each executable of those that ended
 * after them or when there were samples_max samples. Memory grows up to that with `keep`, and with executables and
 * containers (bounded too) and distinct stacks, not with processes. For one thread at a time.
 */
#include "format/index_write.h"
#include "heap/recorder.h"

struct aggregate;
struct symbolizer;

struct aggregate_options {
	int dir; /* where files go */
	unsigned int formats;
	u32 keep;		     /* processes with samples that have a file, and as many without */
	u32 samples_max;	     /* of all that is merged, before all are merged by executable; 0: no limit */
	u64 start_ns, start_unix_ns; /* one moment on both clocks */
	const struct recorder_options *recorder;
	struct symbolizer *symbolizer;
};

struct aggregate *aggregate_new(const struct aggregate_options *options); /* NULL: no memory */
void aggregate_free(struct aggregate *aggregate);

/*
 * Count an image in, as it is at `now_ns`: what lives then is published, named, written and merged; of one that has
 * ended all that may be merged with its executable's. 0 or what went wrong first; without memory it is not counted in,
 * otherwise it is all the same.
 */
int aggregate_add(struct aggregate *aggregate, struct image *image, u64 now_ns);

/* Files written of the image before are to be told of with its last. They are the aggregate's. 0 or -ENOMEM. */
int aggregate_keep_files(struct aggregate *aggregate, u32 process, char **files);

/*
 * What is merged, while recording goes on: of the profiles (with names) of what lives, and of all that was counted in;
 * aggregate_interim_write writes it under its number. NULL: no memory.
 */
struct aggregate_interim;
struct aggregate_interim *aggregate_interim_new(struct aggregate *aggregate);
int aggregate_interim_add(struct aggregate_interim *interim, const struct profile *profile);
int aggregate_interim_write(struct aggregate_interim *interim, unsigned int seq);
void aggregate_interim_free(struct aggregate_interim *interim);

/* Once, at the end: write what is merged, of executables, containers and all. 0 or the first error. */
int aggregate_finish(struct aggregate *aggregate);

/* After that, the aggregate's own. */
const struct index_table *aggregate_processes(const struct aggregate *aggregate);
const struct index_table *aggregate_merged(const struct aggregate *aggregate);
const struct profile *aggregate_all(const struct aggregate *aggregate);

struct aggregate_numbers {
	u64 processes;			      /* counted in */
	u64 merged;			      /* of them by executable */
	bool crowded;			      /* before there were so many as are to be kept */
	u32 executables;		      /* by so many */
	u32 own_files;			      /* processes that have some of their own */
	u32 growing_sites, growing_processes; /* see table_lifetimes_growing */
	u32 perfmaps_refused;		      /* processes whose perf map was not used */
	const char *perf_map_refused;	      /* why the first of them was not */
};

const struct aggregate_numbers *aggregate_numbers(const struct aggregate *aggregate);

#endif
