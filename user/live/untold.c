/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/untold.h"

#include "heap/go_profile.h"
#include "profile/estimate.h"

enum said {
	SAID_NOTHING,
	SAID_KEPT,
	SAID_NOT_KEPT,
};

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

void untold_answer(struct image *image)
{
	image->answered_bytes = bytes_of(image);
}

void untold_say(struct untold *untold, bool kept)
{
	__atomic_store_n(&untold->said, kept ? SAID_KEPT : SAID_NOT_KEPT, __ATOMIC_RELEASE);
}

static int tell(struct image *image, void *arg)
{
	(void)arg;
	image->told_bytes = image->answered_bytes;
	return 0;
}

static int take_back(struct image *image, void *arg)
{
	(void)arg;
	image->answered_bytes = image->told_bytes;
	return 0;
}

void untold_settle(struct untold *untold, struct recorder *recorder)
{
	int said = __atomic_exchange_n(&untold->said, SAID_NOTHING, __ATOMIC_ACQUIRE);

	if (said == SAID_NOTHING)
		return;
	recorder_for_each(recorder, said == SAID_KEPT ? tell : take_back, NULL);
	if (said == SAID_NOT_KEPT) {
		untold->sum.processes += untold->open.processes;
		untold->sum.bytes += untold->open.bytes;
	}
	untold->open = (struct source_untold){0};
}

bool untold_remains(const struct image *image)
{
	return bytes_of(image) > image->told_bytes;
}

void untold_add(struct untold *untold, const struct image *image)
{
	const double bytes = bytes_of(image), told = image->told_bytes;
	const double answered = image->answered_bytes > told ? image->answered_bytes : told;

	if (answered > told)
		untold->open.bytes += (u64)(answered - told);
	if (bytes > answered)
		untold->sum.bytes += (u64)(bytes - answered);
	/* Once, whatever comes of the answer. */
	if (bytes > answered)
		untold->sum.processes++;
	else if (answered > told)
		untold->open.processes++;
}
