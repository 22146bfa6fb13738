/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/untold.h"

#include "heap/go_profile.h"
#include "profile/estimate.h"

/* A Go program's own profile is in the sums only if it has their interval. */
static double go_bytes(const struct image *image)
{
	const struct go_reading *go = image->go;
	double sum = 0;

	if (!go_reading_has_profile(go) || go->rate != image->heap.sample_bytes)
		return 0;
	for (u32 i = 0; i < go->buckets.count; i++) {
		const struct go_bucket *bucket = &go->buckets.buckets[i];

		sum += (double)bucket->allocs * (double)bucket->size / estimate_probability(bucket->size, go->rate);
	}
	return sum;
}

static double bytes_of(const struct image *image)
{
	return image->heap.alloc_bytes + go_bytes(image);
}

void untold_tell(struct image *image)
{
	image->told_bytes = bytes_of(image);
}

bool untold_remains(const struct image *image)
{
	return bytes_of(image) > image->told_bytes;
}

void untold_add(struct source_untold *untold, const struct image *image)
{
	if (!untold_remains(image))
		return;
	untold->processes++;
	untold->bytes += (u64)(bytes_of(image) - image->told_bytes);
}
