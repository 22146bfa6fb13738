/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Where a program allocates: what tables are made of. */
#include "profile/lifetime_summary.h"
#include "profile/profile.h"

/* An allocation site: all samples with the same leaf physical function and line. */
struct profile_site {
	const struct profile_location *leaf;  /* NULL: stack unknown */
	const struct profile_sample *example; /* its heaviest sample, for the callers' names */
	u64 value[MEASURE_MAX];
	u64 alloc_samples, inuse_samples;
	double stderr_value[MEASURE_MAX]; /* standard error of each estimate */
	struct lifetime_summary lifetime_summary;
};

/* Sorted by `by`, descending. *ret_sites is one allocation for the caller to free. 0 or -ENOMEM. */
int profile_sites(const struct profile *profile, enum measure by, struct profile_site **ret_sites, u32 *ret_count);

/* Everything as one site. Its leaf, example and lifetimes mean nothing. */
struct profile_site profile_sites_sum(const struct profile *profile);
