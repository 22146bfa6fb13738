/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A garbage collector that collects nothing: it divides the life of one image into cycles, as Go's would, so that an
 * object's age is the number of cycles it has survived, and the published numbers are those of a completed cycle.
 * Deterministic: driven by events and the times they carry; no clock of its own.
 *
 * Two counts of cycles. *Paced* ones complete when marked + allocated since >= goal, where goal = max(4 MiB * GOGC/100,
 * marked * (1 + GOGC/100)), or when two minutes have passed since the last one (Go: runtime/mgcpacer.go, sysmon). Ages,
 * survival and generations know these alone. *Booked* ones are the paced and the requested ones: they carry counts to
 * publication and nothing else, so that asking for a profile does not change what the next one says.
 *
 * The allocation that reaches the goal is born in the next cycle. A sample stands for everything allocated since the
 * one before, so a cycle can be closed at a sample only; and what is alive just before it arrives is what is alive at
 * any other time (Wolff 1982), while it itself is always alive just after.
 */
#include "include/types.h"
#include "profile/lifetime.h"

#define GC_MINIMUM_BYTES  4194304.0
#define GC_PERIOD_NS	  120000000000ULL
#define GC_TENURE_DEFAULT 2
#define GC_TENURE_MAX	  31
#define GC_KEPT		  32 /* moments a level of the history keeps */
#define GC_LEVELS	  24

struct gc_options {
	u32 gogc_percent; /* 0: off, only requests complete cycles */
	u32 tenure;	  /* cycles survived that make an object old, at most GC_TENURE_MAX; 0: the default */
};

/* When a paced cycle completed, on each clock. */
struct moment {
	u64 time_ns;
	double allocated_bytes; /* since the image began */
	double tenured_bytes;	/* alive then */
};

/* All bytes are weights: what the sampled objects stand for. */
struct gc_model {
	struct gc_options options;
	u32 cycle;     /* paced ones completed: the clock of ages */
	u32 tick;      /* cycles and seconds together: the clock of the buckets of lifetime.h */
	u32 booked;    /* paced and requested ones completed: the clock of bookings */
	u32 published; /* bookings to slots up to this one are public */
	double allocated_bytes;
	double live_bytes;
	double marked_bytes;		 /* alive when the last paced cycle completed */
	double since_bytes;		 /* allocated since */
	double visited_bytes;		 /* what all marks together would have visited */
	u64 bucket_ns[LIFETIME_BUCKETS]; /* when each of those began */
	/* generations */
	double young_bytes[GC_KEPT]; /* alive and not tenured, by birth modulo GC_KEPT */
	double born_bytes[GC_KEPT];
	double tenured_bytes;
	double promoted_bytes;	   /* ever tenured */
	double judged_bytes;	   /* born so long ago that they are tenured or dead */
	struct moment start, last; /* of the last paced cycle; before the first: the start */
	/* moments of the multiples of 2^level, the newest GC_KEPT of each; NULL: none so far, or no memory: coarser ones are left then */
	struct moment *history[GC_LEVELS];
};

void gc_model_init(struct gc_model *gc, const struct gc_options *options, u64 now_ns);
void gc_model_release(struct gc_model *gc);

/*
 * Advance the clock, and complete the cycles that time alone has completed by `now_ns`, each at the moment it was due: before every event, and
 * now and then without one, but only up to a time before which no event will be told any more.
 */
void gc_model_tick(struct gc_model *gc, u64 now_ns);

/* The moment that the last tick or completed cycle has reached. */
struct lifetime_time gc_model_now(const struct gc_model *gc);

/* `bytes` are about to be allocated: may complete a cycle first. */
void gc_model_allocate(struct gc_model *gc, double bytes, u64 now_ns);

/* An object enters use; later it leaves (negative bytes) or comes back. `birth` is gc->cycle as it was then. */
void gc_model_birth(struct gc_model *gc, double bytes);
void gc_model_change(struct gc_model *gc, u32 birth, double bytes);

/* The bytes that marked and allocated since must reach together to complete a paced cycle. */
double gc_model_goal(const struct gc_model *gc);

/* Complete a cycle, and its sweep, for booking alone: what is published afterwards is what lives now. */
void gc_model_request(struct gc_model *gc);

/*
 * When paced cycle `cycle` completed, or the first one after it that is still known: exactly for the last 32,
 * within 1/16 of how long ago that was for others. Cycle 0 is the beginning.
 */
struct moment gc_model_moment(const struct gc_model *gc, u32 cycle);

/* Bytes by which what is tenured grew per second over the last half of the cycles; 0 before there are two. */
double gc_model_trend(const struct gc_model *gc);

/*
 * One site's counts on their way to publication (Go: runtime/mprof.go). What happens in booked cycle C goes to slot
 * C + 2: allocations, and deaths too, for the sweep that discovers them follows cycle C + 1 and books to the slot after
 * that. So the birth and the death of an object that did not survive appear together. A cycle publishes its own slot;
 * a request the next one as well, since its sweep is waited for; so does the first cycle of all, so that what is
 * published then is no older than what was shown before. Slots are brought up to date when they are touched.
 */
struct booking {
	u64 alloc_count, inuse_count; /* published, as of `through` */
	u32 through;
	struct booking_slot {
		u64 alloc_count;
		s64 inuse_count; /* births less deaths */
	} slots[2];		 /* those of two cycles ahead at most are pending */
};

void booking_add(struct booking *booking, const struct gc_model *gc, u64 alloc_count, s64 inuse_count);

/* The same, public at once: where no cycle will complete any more. */
void booking_publish(struct booking *booking, const struct gc_model *gc, u64 alloc_count, s64 inuse_count);

/*
 * The published counts: those of the moment at which booked cycle `published` - 1 completed. Before the first cycle the
 * present ones, as in Go: a program that has not yet collected has a profile all the same.
 */
struct booking_slot booking_published(const struct booking *booking, const struct gc_model *gc);
