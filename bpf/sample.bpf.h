/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The sampling law: an allocation of s bytes is taken with p = 1 - exp(-s/R), independently of everything. That is the
 * law of a Poisson process over the bytes with mean gap R, at most one sample an allocation; it needs no state.
 *
 * A 64-bit fraction U is drawn in two halves; take when U < p. Since p <= s/R, the high half alone rejects nearly
 * everything with one multiplication; only survivors draw the low half and evaluate p, to a relative 2e-8, for any R up
 * to 2^32 - 1. Pure integer arithmetic: tests/bpf/test_sample.c compiles this for the host.
 */
#include "include/types.h"

/* From s = 23 R on, 1 - p is below 2^-33. */
#define SAMPLE_CERTAIN 23

/* exp(-i) and exp(-i/16), in units of 2^-32 (the first of each a hair under 1). 32 rows so that a mask bounds the
 * index. */
static const u32 sample_exp_whole[32] = {
	4294967295, 1580030169, 581260615, 213833830, 78665070, 28939262, 10646160, 3916503,
	1440801,    530041,	194991,	   71733,     26389,	9708,	  3571,	    1314,
	483,	    178,	65,	   24,	      9,	3,	  1,
};
static const u32 sample_exp_sixteenth[16] = {
	4294967295, 4034748382, 3790295335, 3560652950, 3344923893, 3142265200, 2951884975, 2773039306,
	2605029347, 2447198598, 2298930330, 2159645183, 2028798896, 1905880184, 1790408741, 1681933360,
};

/* True when U, of which `high` is the upper half, is at or above s/R whatever its lower half. size >= 1. */
static inline bool sample_rejects(u32 high, u64 size, u64 sample_bytes)
{
	return (high * sample_bytes >> 32) >= size;
}

/* p in units of 2^-64, at most 2^64 - 1. size >= 1, 2 <= sample_bytes < 2^32. */
static inline u64 sample_probability(u64 size, u64 sample_bytes)
{
	u64 whole = size / sample_bytes, rest = size % sample_bytes << 32;
	u64 fraction = rest / sample_bytes << 32 | (rest % sample_bytes << 32) / sample_bytes;
	u64 r, r2, r3, r4, series, survive;

	if (whole >= SAMPLE_CERTAIN)
		return ~0ULL;

	/* Below 1/16: x (1 - x/2 + x^2/6 - x^3/24 + x^4/120), all 64 bits of x kept: a small p must be relatively
	 * exact. */
	if (!whole && !(fraction >> 60)) {
		r = fraction >> 32;
		r2 = r * r >> 32;
		r3 = r2 * r >> 32;
		r4 = r3 * r >> 32;
		series = (1ULL << 32) - r / 2 + r2 / 6 - r3 / 24 + r4 / 120;
		return r * series + ((fraction & 0xffffffff) * series >> 32);
	}

	/* Else 1 - exp(-whole) exp(-sixteenths) exp(-r). */
	r = (fraction & ((1ULL << 60) - 1)) >> 32;
	r2 = r * r >> 32;
	r3 = r2 * r >> 32;
	r4 = r3 * r >> 32;
	series = (1ULL << 32) - r + r2 / 2 - r3 / 6 + r4 / 24 - (r4 * r >> 32) / 120;
	survive = (u64)sample_exp_whole[whole & 31] * sample_exp_sixteenth[fraction >> 60 & 15] >> 32;
	survive = survive * series >> 32;
	return ~0ULL - (survive << 32);
}
