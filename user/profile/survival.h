/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Survival of objects by age, of one site or of several together, in objects or in bytes: that depends on the weights
 * given. Age is in collector cycles survived, S(k) = P(an object survives k cycles); S(0) = 1.
 *
 * Estimate: Kaplan and Meier 1958, the product over ages j < k of 1 - died(j) / at risk(j), where objects that were
 * alive when last seen, at age j, were at risk of dying at it. In the classes from age 32 on, which double, the
 * life-table estimate: those last seen within the class were at risk for half of it.
 *
 * Band: the beta product confidence procedure (Fay, Brittain and Proschan, Biostatistics 14, 2013) by their method of
 * moments. Deaths at one age make one beta-distributed factor; the product is matched by a beta distribution with its
 * mean and variance. Without censoring, so also where nothing or everything has died, it is the exact binomial interval
 * of Clopper and Pearson. Counts in it are Kish's effective counts, (sum w)^2 / (sum w^2) among those at risk: the raw
 * count where weights are equal. A log-log band (Greenwood) needs special cases where nothing, everything or everybody
 * left has died, and misses more often than it says where few are at risk; this one does not 
 * (tests/unit/profile/test_survival_coverage.c prints how often).
 */
#include "profile/lifetime.h"

struct survival {
	u64 samples;	       /* raw */
	u64 died_young, lived; /* of them: within their first cycle; known to have survived it */
	double died[LIFETIME_CLASSES], died_squares[LIFETIME_CLASSES];
	double ended[LIFETIME_CLASSES], ended_squares[LIFETIME_CLASSES];
};

struct survival_point {
	double estimate;
	double lower, upper;
	double at_risk; /* effective samples known to have survived so long */
};

/* Zeroed, then: add a site, each of whose samples weighs `weight` > 0. Its living objects must have been ended. */
void survival_add(struct survival *survival, const struct lifetime *lifetime, double weight);

/*
 * S at the start of `class` (lifetime_class(k) for a k up to 32), with a band that misses the truth with probability
 * `risk` at most, half of it at each side. Nothing at risk: the estimate is that of the last age anything was.
 */
void survival_at(const struct survival *survival, u32 class, double risk, struct survival_point *ret_point);

/* The estimate alone, which takes far less time. */
double survival_estimate(const struct survival *survival, u32 class);

/*
 * A one-sided upper bound of S(1) that takes all samples for alike, of Clopper and Pearson: it misses the share of samples
 * with probability `risk` at most. 1 where nothing is known.
 */
double survival_upper_by_count(const struct survival *survival, double risk);

/* Cycles that half of the objects survive, interpolated between ages; false when so many lived that it was not seen. */
bool survival_median(const struct survival *survival, double *ret_cycles);
