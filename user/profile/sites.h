/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Where a program allocates: what tables are made of. */
#include "profile/lifetime_summary.h"
#include "profile/profile.h"

/*
 * An allocation site: all samples with the same place, which is a line within a physical function. A sample's place is its
 * first line, from the leaf on, that is the program's; where there is none, the first of a library's; else the leaf's.
 */
struct profile_site {
	const struct profile_location *location; /* NULL: stack unknown */
	u32 line;				 /* which of its lines; 0 where it has none */
	const struct profile_sample *example;	 /* its heaviest sample, for the callers' names */
	u32 frame;				 /* where the location is in the example's stack */
	u64 value[MEASURE_MAX];
	u64 alloc_samples, inuse_samples;
	double stderr_value[MEASURE_MAX]; /* standard error of each estimate */
	struct lifetime_summary lifetime_summary;
};

/* The site's own line; NULL: it has no name. */
const struct profile_line *profile_site_line(const struct profile_site *site);

/* Sorted by `by`, descending. *ret_sites is one allocation for the caller to free. 0 or -ENOMEM. */
int profile_sites(const struct profile *profile, enum measure by, struct profile_site **ret_sites, u32 *ret_count);

/* How much is found out of the sites' lifetimes, which takes far more time than all the rest. */
enum sites_lifetimes {
	SITES_LIFETIMES_NONE,	  /* their summaries are zero */
	SITES_LIFETIMES_VERDICTS, /* as lifetime_summary_judge */
	SITES_LIFETIMES_WHOLE,	  /* as profile_sites */
};

/* As profile_sites. */
int profile_sites_with(const struct profile *profile, enum measure by, enum sites_lifetimes lifetimes,
		       struct profile_site **ret_sites, u32 *ret_count);

/*
 * *ret_site_of, for the caller to free, has for each sample of the profile the index of its site in `sites`, or `count` if
 * it is not among these. 0 or -ENOMEM.
 */
int profile_sites_members(const struct profile *profile, const struct profile_site *sites, u32 count,
			  u32 **ret_site_of);

/* Everything as one site. Its place, example and lifetimes mean nothing. */
struct profile_site profile_sites_sum(const struct profile *profile);
