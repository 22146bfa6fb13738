/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What is remembered of the lifetimes of one site's objects: a fixed-size record, no allocation, constant time a call.
 *
 * Cycles are paced cycles of the collector, counted from 0 at attach; one that a request completed is none of them. An
 * object born while `birth` cycles were complete and gone while `death` were has survived death - birth of them: its
 * age. Deaths and ends are counted by age, exactly up to 31 and then in classes [32, 64), [64, 128) ... of which the
 * last, from 2^20 on, is open.
 *
 * For the question whether a site grows, births and deaths are also counted by time: in buckets of `width` ticks from
 * the beginning of the image, and deaths by the bucket of the birth as well. When the buckets are full their width
 * doubles, so that the history is always covered by 7 to 14 of them, and the width depends on nothing but the tick
 * reached. A tick is a cycle or a second: ticks are the sum of the cycles completed and the whole seconds passed. Cycles
 * measure what a busy process does, however unevenly it runs; but in one that does little but leak, each is as long as
 * all before it together. There, and in one that idles, seconds make the clock go on.
 *
 * A record is valid when zeroed. A site here is one stack and one size, so all its objects weigh the same, and raw
 * counts do; they stop at 2^32 - 1. Each call may be given times in any order that has birth <= death.
 */
#include "include/types.h"

#define LIFETIME_EXACT	       32u /* ages 0 .. 31 are classes of their own */
#define LIFETIME_CLASSES       48u
#define LIFETIME_BUCKETS       14u
#define LIFETIME_DEATH_BUCKETS (LIFETIME_BUCKETS * (LIFETIME_BUCKETS + 1) / 2)

/* A moment on both clocks. */
struct lifetime_time {
	u32 cycle, tick;
};

struct lifetime {
	u32 width; /* ticks a bucket; 0 stands for 1 */
	u32 died[LIFETIME_CLASSES];
	u32 ended[LIFETIME_CLASSES]; /* alive when last seen */
	u32 born[LIFETIME_BUCKETS];
	u32 gone[LIFETIME_DEATH_BUCKETS]; /* at lifetime_cell(birth's bucket, death's bucket) */
};

_Static_assert(sizeof(struct lifetime) <= 900, "the collector's share of a site is 1 KiB in all");

/* An object is born, is freed. */
void lifetime_birth(struct lifetime *lifetime, u32 tick);
void lifetime_death(struct lifetime *lifetime, struct lifetime_time birth, struct lifetime_time death);

/* A death was none (the realloc that took the object failed): with the times that lifetime_death was told. */
void lifetime_revive(struct lifetime *lifetime, struct lifetime_time birth, struct lifetime_time death);

/*
 * An object born at cycle `birth` is alive at `cycle` and will not be seen again: exec, exit, out of scope, end of the recording. To look at
 * a site in the midst of a recording, tell this of all its objects, read, and take it back with lifetime_reopen().
 */
void lifetime_end(struct lifetime *lifetime, u32 birth, u32 cycle);
void lifetime_reopen(struct lifetime *lifetime);

/* The width of the buckets, in ticks, when `tick` has been reached: bucket b begins with tick b * width. */
u32 lifetime_width(u32 tick);

/* The buckets as wide as `tick` demands, so that records of one process can be compared and added. */
void lifetime_advance(struct lifetime *lifetime, u32 tick);

/* Count `more`, of the same weight and bucket width, here too. */
void lifetime_add(struct lifetime *lifetime, const struct lifetime *more);

/* The class of an age; the youngest age of a class. */
u32 lifetime_class(u32 age);
u32 lifetime_class_start(u32 class);

/* Where gone[] counts deaths: birth <= death < LIFETIME_BUCKETS. */
static inline u32 lifetime_cell(u32 birth, u32 death)
{
	return death * (death + 1) / 2 + birth;
}
