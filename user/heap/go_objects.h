/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The objects that a Go program has sampled itself, from birth to death, as probes in its runtime tell of them: ages for the profile that the
 * program keeps (go_profile.h), whose counts stay Go's own. They are a heap of their own beside what the process has from malloc. A site's stack
 * there is the address of Go's bucket. An object dies when Go's collector sweeps it, which may be long after its last use.
 */
#include "heap/recorder.h"

struct event_alloc;
struct go_reading;

/* From now on objects are followed. */
void go_objects_begin(struct go_reading *reading, const struct recorder_options *options, const struct image *image);
void go_objects_release(struct go_reading *reading);

/* An event with EVENT_GO. 0 or -ENOMEM; nothing of a process whose objects are not followed. */
int go_objects_born(struct image *image, const struct event_alloc *event);

/* An object dies, which may be one of Go's or none. 0 or -ENOENT. */
int go_objects_died(struct image *image, u64 object);

/* See gc_model_tick. */
void go_objects_tick(struct image *image, u64 now_ns);

/* The heap of those of the image; NULL: they are not followed. */
struct heap *go_objects_heap(const struct image *image);

/*
 * Lifetimes for the profile's samples, which are those of the reading's buckets, in their order, if they are wanted; the model of a
 * collector; and the counters of the ledger. Nothing where objects are not followed. 0 or -ENOMEM.
 */
int go_objects_add(const struct image *image, u64 now_ns, bool lifetimes, struct profile *profile);

/* Take what is of Go's objects out of the ledger of another profile of the process. */
void go_objects_leave_out(u64 ledger[COUNTER_MAX]);
