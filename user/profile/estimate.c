/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/estimate.h"

#include <math.h>

/*
 * expm1() would be more exact for small sizes, but `go tool pprof` computes 1 - exp() when it unsamples our text
 * format, and the two formats are to agree to the byte: at p = 1e-6 the last bits decide which side of an integer an
 * estimate falls.
 */
double estimate_probability(u64 size, u64 sample_bytes)
{
	double ratio, p;

	if (sample_bytes <= 1)
		return 1.0;
	ratio = (double)(size ? size : 1) / (double)sample_bytes;
	p = 1.0 - exp(-ratio);
	return p > 0.0 ? p : ratio;
}

u64 estimate_truncate(double value)
{
	if (value < 1)
		return 0;
	return value < 0x1p63 ? (u64)value : (u64)INT64_MAX;
}

static u64 product(u64 count, u64 size)
{
	u64 bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > INT64_MAX)
		return INT64_MAX;
	return bytes;
}

void estimate_scale(u64 count, u64 size, u64 sample_bytes, u64 *ret_objects, u64 *ret_bytes)
{
	double weight;

	if (sample_bytes <= 1) {
		*ret_objects = count;
		*ret_bytes = product(count, size);
		return;
	}
	weight = 1.0 / estimate_probability(size, sample_bytes);
	*ret_objects = estimate_truncate((double)count * weight);
	*ret_bytes = estimate_truncate((double)count * (double)size * weight);
}

/* Rounding alone may miss by one: estimates are truncated. */
u64 estimate_unscale(u64 objects, u64 size, u64 sample_bytes)
{
	u64 nearest = llround((double)objects * estimate_probability(size, sample_bytes));

	if (sample_bytes <= 1)
		return objects;
	for (u64 count = nearest ? nearest - 1 : 0; count <= nearest + 1; count++) {
		u64 scaled, bytes;

		estimate_scale(count, size, sample_bytes, &scaled, &bytes);
		if (scaled == objects)
			return count;
	}
	return objects && !nearest ? 1 : nearest;
}

double estimate_variance_objects(u64 count, u64 size, u64 sample_bytes, u32 scale)
{
	double p = estimate_probability(size, sample_bytes);

	return (double)count * ((scale > 1 ? scale : 1.0) - p) / (p * p);
}

double estimate_variance_bytes(u64 count, u64 size, u64 sample_bytes, u32 scale)
{
	return (double)size * (double)size * estimate_variance_objects(count, size, sample_bytes, scale);
}
