/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Random numbers for simulations, the same everywhere for a seed: splitmix64 (Steele, Lea and Flood 2014). */
#include <math.h>

#include "include/types.h"

static inline u64 chance_next(u64 *chance)
{
	u64 z = *chance += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline u32 chance_below(u64 *chance, u32 below)
{
	return (u32)(chance_next(chance) >> 32) % below;
}

/* In (0, 1). */
static inline double chance_uniform(u64 *chance)
{
	return ((double)(chance_next(chance) >> 12) + 0.5) * 0x1p-52;
}

static inline double chance_exponential(u64 *chance, double mean)
{
	return -mean * log(chance_uniform(chance));
}

/* Events of a Poisson process of this many a unit of time, in one unit. */
static inline u32 chance_poisson(u64 *chance, double mean)
{
	u32 events = 0;

	for (double time = chance_exponential(chance, 1); time < mean; time += chance_exponential(chance, 1))
		events++;
	return events;
}
