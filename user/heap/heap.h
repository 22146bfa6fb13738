/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The sampled heap of one image: objects by id, and sites by (stack, requested size) with their counts. Invariant after
 * every call: allocated - freed = in use, per site and in sum.
 */

#include "base/hash.h"
#include "include/types.h"
#include "heap/gc_model.h"
#include "heap/places.h"
#include "base/quota.h"

struct stack;

struct heap_site_key {
	u64 stack; /* hash, 0: unknown */
	u64 size;
};

struct heap_site {
	struct heap_site_key key;
	u64 alloc_count, inuse_count; /* raw samples, now; those of a part of the time are counted `scale` times */
	struct booking booking;	      /* the same, on their way to publication */
	double weight_bytes;	      /* what one sample stands for */
	const struct stack *stack;    /* snapshot's: what it found for the key; NULL: nothing yet */
	u32 sample;		      /* snapshot's: which sample it was made into last */
	UT_hash_handle hh;
	struct lifetime lifetime; /* the last, since there is no memory for it where the heap counts alone */
};

struct heap_object {
	u64 id;
	u64 addr;
	struct heap_site *site;
	u32 moved_by;			   /* thread whose realloc has it; 0: it is in use */
	struct lifetime_time birth, death; /* death: of a moved one */
	UT_hash_handle hh;
};

struct heap {
	u64 sample_bytes;
	u32 scale;	   /* what is allocated counts so many times; set before it is told */
	u64 frozen_ns;	   /* see heap_freeze; 0: it is not */
	bool counts_alone; /* no lifetimes are kept, which take five sixths of a site; set before the first object */
	struct heap_site *sites;
	struct heap_object *objects;
	struct heap_object *moved; /* by moved_by: waiting for a realloc to fail or to be forgotten */
	u64 alloc_count, freed_count, inuse_count;
	u64 unfollowed_count; /* allocated, in-use unknown */
	double alloc_bytes;   /* of all that was allocated */
	double inuse_bytes, peak_bytes;
	u64 peak_ns;
	struct quota_share share; /* of sites; the image's stacks are in it too */
	u64 no_room_count;	  /* allocated, and booked to no stack because no share was left */
	struct gc_model gc;
	struct heap_places places;
};

void heap_init(struct heap *heap, u64 sample_bytes);
void heap_release(struct heap *heap);

/*
 * An object is born. `followed` false: only counted as allocated. Where there is no share left for one more site, it is
 * booked to those of its size without a stack. 0 or -ENOMEM.
 */
int heap_alloc(struct heap *heap, u64 id, u64 addr, u64 size, u64 stack, bool followed, u64 now_ns);

/*
 * Nothing is known of deaths after that moment, so what is in use and the model stay as they are, published at once, and so is what is
 * allocated from here on, which is not to be followed. A second call does nothing.
 */
void heap_freeze(struct heap *heap, u64 now_ns);

/* The objects of that stack and size; NULL: there were none. */
const struct heap_site *heap_find_site(const struct heap *heap, u64 stack, u64 size);

/* It dies. 0, or -ENOENT when it is not in use (its death may be told twice: by the kernel and by a sweep). */
int heap_free(struct heap *heap, u64 id);

/* realloc of thread `tid` takes it: dead, but heap_revive may bring it back until the thread's next realloc. */
int heap_move(struct heap *heap, u64 id, u32 tid);
int heap_revive(struct heap *heap, u64 id, u32 tid, u64 now_ns);

/*
 * Between these two calls the records of lifetimes include the objects in use, as censored at their present age, and all
 * records have the same bucket width.
 */
void heap_lifetimes_close(struct heap *heap);
void heap_lifetimes_reopen(struct heap *heap);
