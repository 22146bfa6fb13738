/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CENSUS_H
#define CENSUS_H
/*
 * All processes of a population, as far as they have been written: a line for the index each, what is gathered of all
 * and of containers, and, once `keep` of them have files of their own, one line for each executable of those that ended
 * after them or when there were samples_max samples. Memory grows up to that with `keep`, and with executables and
 * containers (bounded too) and distinct stacks, not with processes. For one thread at a time.
 */
#include "format/index_table.h"
#include "heap/recorder.h"

struct census;
struct symbolizer;

struct census_options {
	int dir; /* where files go */
	unsigned int formats;
	u32 keep;		     /* processes with samples that have a file, and as many without */
	u32 samples_max;	     /* of all that is merged, before all are merged by executable; 0: no limit */
	u64 start_ns, start_unix_ns; /* one moment on both clocks */
	const struct recorder_options *recorder;
	struct symbolizer *symbolizer;
};

struct census *census_new(const struct census_options *options); /* NULL: no memory */
void census_free(struct census *census);

/*
 * Count an image in, as it is at `now_ns`: what lives then is published, named, written and merged; of one that has
 * ended all that may be merged with its executable's. 0 or what went wrong first; without memory it is not counted in,
 * otherwise it is all the same.
 */
int census_add(struct census *census, struct image *image, u64 now_ns);

/* Files written of the image before are to be told of with its last. They are the census's. 0 or -ENOMEM. */
int census_keep_files(struct census *census, u32 process, char **files);

/*
 * What is merged, while recording goes on: of the profiles (with names) of what lives, and of all that was counted in;
 * census_interim_write writes it under its number. NULL: no memory.
 */
struct census_interim;
struct census_interim *census_interim_new(struct census *census);
int census_interim_add(struct census_interim *interim, const struct profile *profile);
int census_interim_write(struct census_interim *interim, unsigned int seq);
void census_interim_free(struct census_interim *interim);

/* Once, at the end: write what is merged, of executables, containers and all. 0 or the first error. */
int census_finish(struct census *census);

/* After that, the census's own. */
const struct index_table *census_processes(const struct census *census);
const struct index_table *census_merged(const struct census *census);
const struct profile *census_all(const struct census *census);

struct census_numbers {
	u64 processes;			      /* counted in */
	u64 merged;			      /* of them by executable */
	bool crowded;			      /* before there were so many as are to be kept */
	u32 executables;		      /* by so many */
	u32 own_files;			      /* processes that have some of their own */
	u32 growing_sites, growing_processes; /* see table_lifetimes_growing */
	u32 perfmaps_refused;		      /* processes whose perf map was not used */
	const char *perf_map_refused;	      /* why the first of them was not */
};

const struct census_numbers *census_numbers(const struct census *census);

#endif
