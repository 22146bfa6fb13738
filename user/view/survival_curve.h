/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How long objects live, as curves to be drawn: the estimates of profile/survival.h at all ages that were seen. */
#include "profile/sites.h"

struct survival_curve_point {
	u32 age_cycles;
	u64 age_ns;	     /* for how long at least an object of that age has lived */
	double estimate;     /* of the share of objects that live so long */
	double lower, upper; /* the band, which misses with LIFETIME_SUMMARY_RISK */
	double at_risk;	     /* effective samples known to have lived so long */
};

struct survival_curve {
	struct survival_curve_point points[LIFETIME_CLASSES]; /* from age 0 on, until nothing is at risk */
	u32 count;					      /* 0: nothing is known */
	double median_cycles, median_ns;		      /* NAN: most live too long to tell */
};

/* For the whole process. */
void survival_curve_make(const struct profile *profile, struct survival_curve *ret_curve);

/* For each of the sites, into an array for the caller to free. 0 or -ENOMEM. */
int survival_curves_make(const struct profile *profile, const struct profile_site *sites, u32 count,
			 struct survival_curve **ret_curves);
