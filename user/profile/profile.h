/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * profile/ holds what is known of a heap at one moment, and the mathematics on it: names, estimates, sites, lifetimes,
 * merging. It knows neither how events come in nor how files look.
 *
 * A profile is an immutable snapshot of one image's heap, complete in itself: writers need nothing else. Built with
 * addresses by heap/snapshot.h, then given names by profile_symbolize; or read back from a .pb.gz (format/pprof_read.h).
 *
 * Every array is owned by the profile. Indices, not pointers, connect the tables.
 */
#include <stddef.h>

#include "base/arena.h"
#include "base/intern.h"
#include "binary/go_lines.h"
#include "include/counter.h"
#include "include/types.h"
#include "profile/lifetime_pack.h"
#include "profile/memory_parts.h"
#include "profile/restraint.h"

struct elf;
struct memory_notes;
struct root_fs;

/* The four measures, in Go's order. */
enum measure {
	ALLOC_OBJECTS,
	ALLOC_SPACE,
	INUSE_OBJECTS,
	INUSE_SPACE,
	MEASURE_MAX
};

extern const char *const profile_measure_names[MEASURE_MAX + 1]; /* Go's: "alloc_objects" ...; NULL at the end */
bool measure_is_inuse(enum measure measure);			 /* else allocated */
bool measure_is_space(enum measure measure);			 /* bytes, else objects */

/* What a profile is of, and so what its measures are called. */
enum profile_kind {
	PROFILE_HEAP,	 /* blocks of an allocator */
	PROFILE_REGIONS, /* memory that system calls mapped (--mappings): always exact; "in use" is what is still mapped */
};

extern const char *const profile_region_names[MEASURE_MAX + 1]; /* "map_objects" ... "mapped_space" */

/* The names of its measures, as the two above. */
struct profile;
const char *const *profile_names(const struct profile *profile);

#define MAPPING_UNKNOWN 0xffffffffu

struct profile_mapping {
	u64 start, end, file_offset;
	char *path;
	u8 build_id[20];
	u8 build_id_size;
	u64 device, inode;
	struct elf *elf;    /* for profile_symbolize; NULL when not to be had. Borrowed. */
	bool has_functions; /* every location in it got a function */
	bool has_filenames, has_line_numbers, has_inline_frames;
};

/* The build id in hexadecimal, "" when there is none. Returns `text`. */
#define PROFILE_BUILD_ID_SIZE (2 * sizeof(((struct profile_mapping *)NULL)->build_id) + 1)
const char *profile_build_id(const struct profile_mapping *mapping, char text[PROFILE_BUILD_ID_SIZE]);

/* Whose a frame is: a site is the first one, from the leaf on, that is the program's (profile/sites.h). */
enum frame_role {
	FRAME_PROGRAM,
	FRAME_LIBRARY, /* a language's library, the C library, an interpreter: their own code, on behalf of the program's */
	FRAME_WRAPPER, /* hands the size that it is asked for on to an allocator */
};

struct profile_line {
	char *function, *system_name, *file; /* the profile's texts; file NULL when unknown */
	u32 line, start_line;
	enum frame_role role;
};

struct profile_location {
	u64 address;		    /* return address minus one: the call */
	u32 mapping;		    /* index, or MAPPING_UNKNOWN */
	u32 line_count;		    /* 0: no name known */
	struct profile_line *lines; /* innermost inlined first */
	u64 function_offset;	    /* address minus entry of the physical function (0 when unknown) */
	enum frame_role role;	    /* of code without lines */
	bool allocates;		    /* its function is known to allocate, by its name; set by frame_roles_mark */
	bool within_allocator;	    /* it is in a probed allocator's function; of a snapshot alone */
};

/* Where samples of a profile of several processes come from: what they are labelled with. */
struct profile_labels {
	u32 pid;			       /* 0: several, merged */
	char *comm, *container, *container_id; /* NULL: unknown, or no one */
	u32 group; /* sets that read the same but must stay apart differ here; not written */
};

/* The function at the root of a stack that was too deep to be walked to its end. */
#define PROFILE_TRUNCATED "[truncated]"

/*
 * In PROFILE_REGIONS: the leaf of what a probed allocator mapped for itself, ahead of the frames that did. Its blocks are in the heap's profile,
 * so that the two are not to be added up.
 */
#define PROFILE_ALLOCATOR "[allocator]"

/* One (stack, requested size, labels). Counts are raw samples; estimates are made by estimate_scale alone. */
struct profile_sample {
	u32 *location; /* in the profile's stacks. Leaf first; the allocator's own frames are already gone */
	u32 depth;
	u32 labels; /* 0: none, all is of the profile's one process; else index in its labels, plus one */
	u64 size;
	u64 alloc_count, inuse_count;	    /* published: of the moment a cycle completed */
	struct lifetime_pack *lifetime;	    /* now, what is in use counted as ended; NULL: unknown */
	struct sample_residency *residency; /* NULL: unknown, see sample_residency.h */
};

/*
 * What the model collector (gc_model.h) makes of the whole process. Cycles are paced ones, bytes are weights, of now.
 */
struct profile_model {
	bool known;
	u32 gogc_percent; /* 0: off */
	u32 tenure;
	u32 cycles, requests;
	u32 ticks;	     /* cycles and seconds, see lifetime.h */
	u64 cycles_ns;	     /* from the beginning to the end of the last cycle */
	double cycles_bytes; /* allocated in that time */
	double marked_bytes, goal_bytes;
	double visited_bytes; /* all marks together */
	double tenured_bytes,
		trend; /* in use; and by how much more of them a second, over the last half of the cycles */
	double judged_bytes, promoted_bytes; /* as old as tenure, dead or alive; those of them that came to be so old */
	u64 clock_ns[LIFETIME_BUCKETS];	     /* when the buckets of lifetime.h began, since the beginning */
	u64 age_ns[LIFETIME_CLASSES];	     /* for how long at least an object of that class has lived */
};

/* How an image's process ended. */
struct profile_exit {
	bool known;	 /* false: it runs on, another program was exec'd in it, or its end was not told */
	bool oom_killed; /* its signal is the OOM killer's */
	u8 status;	 /* what it gave to exit; 0 if a signal killed it */
	u8 signal;	 /* what killed it; 0: nothing did */
};

/* How many of the merged processes have ended, and what was in use as they did. */
struct profile_ended {
	u32 processes;
	u64 inuse_objects, inuse_space;
};

/* From a status as wait(2) has it. */
struct profile_exit profile_exit_of(u32 wait_status, bool oom_victim);

/*
 * A profile that a Go program kept of itself (heap/go_buckets.h): what it says is since the program's beginning, and as of one of Go's
 * own garbage collections. `sample_bytes` is Go's.
 */
struct profile_go {
	char version[GO_VERSION_SIZE]; /* "go1.19.8"; "": it is no such profile */
	u64 age_ns;		       /* how long before the end of the recording, or of the program, it was read */
	u32 cycle;   /* garbage collections that it is as of; 0: none was complete, and all is in it */
	bool beside; /* what the process has from malloc is in another profile */
	/* for profile_symbolize */
	const struct elf *elf; /* the program; borrowed */
	u64 bias;	       /* it runs at its linked addresses plus this */
	struct go_module module;
};

struct profile {
	enum profile_kind kind;
	/* who */
	u32 pid;
	u32 image;			  /* 1, 2, 3 ...: which image of this pid */
	char *comm, *exe, *cgroup;	  /* comm never NULL; the others NULL when unknown */
	char *container, *container_name; /* its id; NULL: in none, or unknown */
	u32 processes;			  /* whose samples these are, merged; 0: one process's alone */
	struct profile_ended ended;	  /* of those */
	char *stem;			  /* its files' name but for the extension; NULL: <pid>.<comm> */
	/* when and how */
	u64 start_unix_ns, duration_ns;
	u64 sample_bytes;
	bool alloc_only;
	struct restraint restraint; /* what --max-overhead left out */
	bool difference; /* counts of what is in use are differences, and may be negative (profile/subtract.h) */
	/* what */
	struct profile_mapping *mappings;
	u32 mapping_count;
	struct profile_location *locations;
	u32 location_count;
	struct profile_sample *samples;
	u32 sample_count; /* entries of samples[], not a number of sampled objects */
	struct profile_labels *labels;
	u32 label_count;
	struct arena stacks; /* of the samples; in a merge they are elsewhere */
	struct intern texts; /* what lines say, each once: one name may stand in thousands of them */
	u64 ledger[COUNTER_MAX];
	struct profile_model model;
	/* beside it */
	u64 memory_limit, memory_used;			    /* of its cgroup; 0: unlimited or unknown */
	u64 peak_inuse_space, peak_at_ns;		    /* estimate, and when: ns after start; 0, 0 when unknown */
	u64 rss_start_bytes, rss_end_bytes, rss_peak_bytes; /* 0: unknown */
	u64 rss_peak_seen,
		rss_peak_inuse;	    /* the largest resident size that was seen, and what was in use then; 0: none was */
	struct memory_parts memory; /* as last read; of a process that has ended, before that */
	u64 cpu_ns;		    /* CPU time the process used while traced */
	double hit_cost_ns;	    /* calibrated cost of one unsampled trap */
	double slowdown_percent;
	bool exited; /* the image had ended when the snapshot was taken */
	struct profile_exit exit;
	/* for profile_symbolize */
	const struct root_fs *root; /* the file system it saw; NULL: unknown. Borrowed. */
	bool show_allocator;	    /* stacks may begin in what asks the allocator for the program, see symbolize.h */
	/* for profile_read_memory (memory_reading.h); NULL: there is nothing to read */
	struct memory_notes *memory_notes;
	struct profile_go go;
	struct profile *
		regions; /* of a heap's: that of the same process's regions, dropped with the tables; NULL: not known */
	/* from profile_symbolize */
	const char *perf_map_refused; /* why the names a JIT compiler left were not used; NULL: no such reason */
};

void profile_free(struct profile *profile);

/* Drop the tables, leave the facts: what a line of the index needs. */
void profile_strip(struct profile *profile);

/* A profile of its own with the facts and without the tables. NULL: no memory. */
struct profile *profile_copy_facts(const struct profile *profile);

/* Room for a stack of so many frames, the profile's own, valid until its tables are dropped. NULL: no memory. */
u32 *profile_stack(struct profile *profile, u32 depth);

/* *ret_text is the profile's own, valid until its tables are dropped; NULL stays NULL. 0 or -ENOMEM. */
int profile_text(struct profile *profile, const char *text, char **ret_text);

void profile_lines_release(struct profile_location *location); /* all of them: it has no name then */
void profile_labels_release(struct profile_labels *labels);

/* Is it known what is in use now? Else what was in use when frees were last traced, or nothing. */
bool profile_knows_inuse(const struct profile *profile);

/* Every allocation was recorded: numbers are no estimates. */
bool profile_is_exact(const struct profile *profile);

/* Is that sample of PROFILE_REGIONS the allocator's? */
bool profile_sample_is_allocators(const struct profile *profile, const struct profile_sample *sample);

/* Sums of PROFILE_REGIONS over all of the program's, or over all of the allocator's. */
void profile_region_totals(const struct profile *profile, bool allocators, u64 ret_totals[MEASURE_MAX]);

/* Sums of the truncated estimates over all samples: what index.json and the .pb.gz agree on. */
void profile_totals(const struct profile *profile, u64 ret_totals[MEASURE_MAX]);

/* The four estimates of one sample; of a difference, those in use are signed numbers. */
void profile_sample_values(const struct profile *profile, const struct profile_sample *sample,
			   u64 ret_values[MEASURE_MAX]);

/* Their variances: the squares of their standard errors, which add up over samples. */
void profile_sample_variances(const struct profile *profile, const struct profile_sample *sample,
			      double ret_variances[MEASURE_MAX]);
