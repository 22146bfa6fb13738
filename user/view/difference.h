/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What has changed between two profiles, site by site. */
#include "view/site_table.h"

/* By the measure that the difference is by. */
enum difference_state {
	DIFFERENCE_SAME,
	DIFFERENCE_NEW,	 /* nothing before */
	DIFFERENCE_GONE, /* nothing after */
	DIFFERENCE_GROWN,
	DIFFERENCE_SHRUNK,
};

const char *difference_state_name(enum difference_state state); /* "same", "new" ... */

struct difference_site {
	struct site_name name;
	const struct profile_site *before, *after; /* NULL where it does not occur; without lifetimes */
	enum difference_state state;
	double change[MEASURE_MAX]; /* in use: means nothing where that is not known of one of them */
	/* An upper bound: objects that live in both profiles are the same samples and add no error. */
	double change_error[MEASURE_MAX];
};

struct difference {
	const struct profile *before, *after; /* borrowed */
	enum measure by;	       /* INUSE_SPACE; ALLOC_SPACE where what is in use is not known of one of them */
	struct difference_site *sites; /* most changed by that measure first, then in what was allocated */
	u32 count;
	struct difference_site sum; /* of all; its names and profiles mean nothing */
	struct profile_site *before_sites, *after_sites;
	struct site_table table;
};

/*
 * Sites are matched as site_table.h says, so that the profiles may be of different runs. 0 or -ENOMEM; difference_release in both
 * cases.
 */
int difference_make(const struct profile *before, const struct profile *after, struct difference *ret_difference);
void difference_release(struct difference *difference);
