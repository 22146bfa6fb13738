/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What live objects cost in memory (`record --resident`): of each sample, sums over its sampled objects that were alive and looked at. All
 * of them have one size and stand for equally many others, so a share of their bytes is that share of the sample's estimate.
 */
#include "include/types.h"

struct profile;
struct profile_sample;

struct sample_residency {
	u64 objects, bytes;    /* looked at, and their size */
	u64 resident, swapped; /* bytes of these; what is left was never touched, or was given back to the kernel */
	u64 read, zero;	       /* pieces of resident pages that were read; those that were all zero */
	u64 *addresses;	       /* of objects that wait to be looked at: none after sample_residency_look_up */
	u32 waiting;
};

/* An object of the sample is alive at this address: it will be looked at. 0 or -ENOMEM. */
int sample_residency_note(struct profile_sample *sample, u64 address);

/* Add what is known of `from`, which may be nothing. 0 or -ENOMEM. */
int sample_residency_add(struct profile_sample *into, const struct sample_residency *from);

void sample_residency_free(struct sample_residency *residency); /* NULL: nothing */

/*
 * Look at the objects that wait, in the profile's process, which runs on meanwhile. Those of a process that is gone, or may not be
 * looked into, stay unknown: samples have no residency then. 0; -E2BIG: some objects were left out (RESIDENCY_PAGES); negative errno as
 * residency_read has them.
 */
int sample_residency_look_up(struct profile *profile);
/* What such an error means; valid until the next call. */
const char *sample_residency_explain(int err);

/* Estimates of several samples together, in bytes. */
struct residency_sum {
	u64 objects; /* sampled ones that were looked at */
	double inuse, resident, swapped, untouched;
	double zero; /* of the resident ones, in pieces of pages that are all zero */
	u64 read;    /* 0: nothing was read, `zero` is not known */
};

void residency_sum_add(struct residency_sum *sum, const struct profile *profile, const struct profile_sample *sample);
