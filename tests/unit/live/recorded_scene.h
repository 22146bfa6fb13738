/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A recording in the scratch directory as a source, and what it gives. */
#include "unit/format/recording_scene.h"

#include "live/recorded.h"

static struct source *source;

static inline int opened(const char *path)
{
	int status;

	capture_begin(&errors, stderr);
	status = recorded_open(path, &source);
	capture_end(&errors);
	return status;
}

static inline void assert_sum(struct profile *profile, const struct profile *const *parts, u32 count)
{
	u64 sum[MEASURE_MAX] = {0}, totals[MEASURE_MAX];

	for (u32 i = 0; i < count; i++) {
		profile_totals(parts[i], totals);
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			sum[m] += totals[m];
	}
	profile_totals(profile, totals);
	assert_memory_equal(totals, sum, sizeof(sum));
	profile_free(profile);
}

static inline void assert_totals(const struct source_want *want, const struct profile *const *parts, u32 count)
{
	struct profile *profile;

	assert_int_equal(source_profile(source, want, &profile), 0);
	assert_sum(profile, parts, count);
}

static inline void assert_moment(const struct source_want *want, const struct profile *const *parts, u32 count)
{
	struct profile *profile;

	assert_int_equal(source_moment(source, want, 0, &profile), 0);
	assert_sum(profile, parts, count);
}
