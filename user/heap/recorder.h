/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * heap/ turns the events of a recording into the sampled heap of each image, and a heap into a profile (snapshot.h). It
 * owns the images and what is known of them. It reads no clock and no file and knows nothing of BPF: every event carries
 * its time, so that tests can feed it from memory.
 *
 * The recorder holds the images; apply_event.h is what the ring's events do to them.
 */
#include "heap/image.h"
#include "heap/restraint.h"
#include "profile/profile.h"

struct mapping;
struct recorder;

struct recorder_options {
	u64 sample_bytes;
	bool alloc_only, show_allocator;
	bool residency;			  /* snapshots note where live objects are, for sample_residency_look_up */
	double alloc_hit_ns, free_hit_ns; /* calibrated cost of one unsampled hit */
	struct gc_options gc;
	bool counts_alone;  /* no lifetimes are kept, and nothing is known of the model of a collector */
	u64 sites_max;	    /* sites and stacks in memory at a time, see heap_alloc; 0: no limit */
	u64 unix_offset_ns; /* of memory readings: struct memory_notes */
};

struct recorder *recorder_new(const struct recorder_options *options); /* NULL: no memory */
void recorder_free(struct recorder *recorder);

/* An image begins by attaching. *ret_image is the recorder's own. 0 or -ENOMEM. */
int recorder_begin(struct recorder *recorder, u32 number, u32 pid, u32 scope, u64 now_ns, struct image **ret_image);

/*
 * The side-band says that `pid` was forked off `parent`: a copy of the parent's mappings is kept for the child until
 * its image begins. Nothing is kept if the parent is unknown. 0 or -ENOMEM.
 */
int recorder_fork(struct recorder *recorder, u32 pid, u32 parent, u64 now_ns);

/* Has the side-band announced an image of the pid that has not begun? */
bool recorder_announced(const struct recorder *recorder, u32 pid);

/* Forget images that were announced before that and have not begun: their processes are not traced. */
void recorder_expire(struct recorder *recorder, u64 before_ns);

/* The side-band's view of a pid: a program was exec'd, a name changed, a file was mapped. Unknown pids are ignored. */
int recorder_comm(struct recorder *recorder, u32 pid, const char *comm, bool exec, u64 now_ns);
int recorder_map(struct recorder *recorder, u32 pid, const struct mapping *mapping);

/* All events up to `now_ns` have been told: complete the cycles that time alone completes. */
void recorder_tick(struct recorder *recorder, u64 now_ns);

/* Complete a cycle in every image, for booking alone: what is published from now on is what lives now. */
void recorder_request(struct recorder *recorder);

struct image *recorder_find(struct recorder *recorder, u32 number); /* by process number; NULL: none */
struct image *recorder_current(struct recorder *recorder, u32 pid); /* the pid's newest image; NULL: none */

/* An image has ended although no event said so. A second call does nothing. */
void recorder_end(struct recorder *recorder, struct image *image, u64 now_ns);

/*
 * Take out the image that ended first among those for which no raw stack is waiting; the caller frees it. The next image
 * of its pid gets the next number all the same. NULL: none.
 */
struct image *recorder_take_ended(struct recorder *recorder);

/* The one that it would take, left where it is. */
struct image *recorder_first_ended(const struct recorder *recorder);

/* Images that have ended and have not been taken out. */
u32 recorder_ended_count(const struct recorder *recorder);

/* Every image that was begun and not taken, in the order of process numbers, until `each` returns non-zero; returns that. */
int recorder_for_each(struct recorder *recorder, int (*each)(struct image *image, void *arg), void *arg);

/* Every file that an image not taken yet has mapped, or one that was announced; as often as it is mapped. */
void recorder_for_each_file(const struct recorder *recorder, void (*each)(const struct elf *elf, void *arg), void *arg);

/* What the tracer has ceased to see: its to set. */
struct restraint_state *recorder_restraint(struct recorder *recorder);

const struct recorder_options *recorder_options(const struct recorder *recorder);
