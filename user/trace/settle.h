/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Settling an image's ledger: what the kernel counted, what was freed without an event, and what /proc says of it. */
#include "heap/recorder.h"

struct cgroup_limit;
struct cgroup_mounts;
struct container_names;
struct kernel;

/* Where groups and containers are looked up; either may be NULL. */
struct settle_sources {
	struct cgroup_mounts *mounts;
	struct container_names *containers;
	const char *group; /* the cgroup that all are in or below; NULL: there is none */
};

/*
 * Fill name, program, cgroup, container and memory at the image's begin, as far as it still lives. An image that is gone
 * already gets what `origin` had, the image that was there before or that it was forked off (`forked`: then the same
 * program too); NULL: unknown.
 */
void settle_facts(const struct settle_sources *sources, struct cgroup_limit *limit, struct image *image,
		  const struct image *origin, bool forked);

/*
 * Note how much memory the process holds now; and whose it is, if it is young, or once a minute. That is asked only of those with code that
 * they made themselves, whose names are in a file that must be theirs: it costs more than all else that is asked of a process.
 */
void settle_look(struct image *image, u64 now_ns);

/*
 * The image has ended by exit or exec: take over its counters, drop its keys from the maps, give its number's row to
 * another. A second call does nothing: a number given twice would be two images'.
 */
void settle_end(struct kernel *kernel, struct image *image);

/* The same for an image that goes on no longer although no event said so; nothing for NULL and one that has ended. */
void settle_end_without_event(struct kernel *kernel, struct recorder *recorder, struct image *image, u64 now_ns);

/* The recording stops at `now_ns` while the image lives on. */
void settle_stop(struct kernel *kernel, const struct recorder *recorder, struct image *image, u64 now_ns);

/* After all probes are gone: count sampled calls that never returned, for the images that made them. */
void settle_pending(struct kernel *kernel, struct recorder *recorder);

/*
 * While the probes are out: count the sampled calls that were under way when they were taken out, whose returns were not seen, and
 * forget them. A later call that finds the same place on the same stack would else be given such a one's size. 0 or negative errno.
 */
int settle_cut(struct kernel *kernel, struct recorder *recorder);
