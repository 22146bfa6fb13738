/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How many bytes lie before the next sample: numbers of an exponential distribution, in integers. */
#include "include/types.h"
#include "sampler_log.h"

#define GAP_MAX INT64_MAX
/* -ln of a fraction in 64 bits is below 45, so that it has 6 bits before the point. */
#define GAP_POINT 58

/*
 * floor(-ln(u) * mean) for u = random / 2^64; at most GAP_MAX. With u in [1/2, 1) times a power of 1/2, and x = 1 - u, the
 * logarithm is x * g(x): g(x) = -ln(1 - x) / x is nearly straight and not near 0, so that linear interpolation between 257 values
 * (sampler_log, 31 bits behind the point) has a relative error below 2e-6 for small gaps too.
 */
static inline s64 gap_of(u64 random, u64 mean)
{
	u32 halvings = random ? (u32)__builtin_clzll(random) : 63;
	u64 x = -((random ? random : 1) << halvings); /* 1 .. 2^63 */
	u32 row = (u32)((x - 1) >> 55);
	u64 within = x - ((u64)row << 55);
	u64 g = sampler_log[row] + (u64)((unsigned __int128)(sampler_log[row + 1] - sampler_log[row]) * within >> 55);
	u64 logarithm = halvings * SAMPLER_LN_2 + (u64)((unsigned __int128)x * g >> (64 + 31 - GAP_POINT));
	unsigned __int128 gap = (unsigned __int128)logarithm * mean >> GAP_POINT;

	return gap < GAP_MAX ? (s64)gap : GAP_MAX;
}
