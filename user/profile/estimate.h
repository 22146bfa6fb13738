/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * From samples to estimates. An allocation of s bytes is sampled with p = 1 - exp(-s/R) (s = 0 counts as 1; R = 1 takes
 * everything), so one sample stands for 1/p objects and s/p bytes (Horvitz and Thompson 1952), and the variance of a
 * sum over samples is estimated without bias by the sum of (1 - p)/p^2 (objects) and s^2 (1 - p)/p^2 (bytes).
 */
#include "include/types.h"

/* p of an allocation of `size` bytes under interval `sample_bytes`; 1.0 when sample_bytes <= 1. Never 0. */
double estimate_probability(u64 size, u64 sample_bytes);

/*
 * Go's scaleHeapSample (runtime/pprof): *ret_objects and *ret_bytes are count and count * size unsampled and truncated
 * to integers; both 0 when count is 0. Bytes are 0 when size is 0 while objects are not. Saturates at INT64_MAX, the
 * largest number the formats can hold. Since 1/p >= 1, different counts of one size make different objects, so that a
 * raw count can be told from its estimate.
 */
void estimate_scale(u64 count, u64 size, u64 sample_bytes, u64 *ret_objects, u64 *ret_bytes);

/*
 * The raw count of which estimate_scale makes `objects`. Another producer's arithmetic may hit none: then the nearest
 * number, but not 0 unless `objects` is.
 */
u64 estimate_unscale(u64 objects, u64 size, u64 sample_bytes);

/* An estimate as the formats hold it: without its fraction, at least 0, at most INT64_MAX. */
u64 estimate_truncate(double value);

/*
 * Variance contributed by `count` samples of `size` bytes. If they were taken in one window of time out of `scale` (0: always), and
 * counted `scale` times each, with q = p / scale, count / scale samples have the variance (1 - q)/q^2 each, as long as the windows
 * are no more alike than single allocations (restraint.h has what they add). Where only some were, it is too large.
 */
double estimate_variance_objects(u64 count, u64 size, u64 sample_bytes, u32 scale);
double estimate_variance_bytes(u64 count, u64 size, u64 sample_bytes, u32 scale);
