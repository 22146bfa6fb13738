/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Random numbers: splitmix64 (Steele, Lea, Flood 2014), and what it begins with. */
#include "include/types.h"

#define SPLITMIX_STEP 0x9e3779b97f4a7c15ULL

/* The number that belongs to a state; the states of a sequence are SPLITMIX_STEP apart. */
static inline u64 splitmix64(u64 state)
{
	state = (state ^ state >> 30) * 0xbf58476d1ce4e5b9ULL;
	state = (state ^ state >> 27) * 0x94d049bb133111ebULL;
	return state ^ state >> 31;
}

/*
 * What a slot's sequence begins with, never 0: other than in another process, thread, or recording. The time stamp counter is not
 * asked, since a process may have forbidden it to itself (PR_SET_TSC).
 */
u64 seed_new(const void *slot) __attribute__((visibility("hidden")));
