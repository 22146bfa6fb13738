/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LIFESPAN_H
#define LIFESPAN_H
/*
 * What a profile's records of lifetimes say of several of its samples together: of one site, or of the whole process.
 */
#include "profile/profile.h"
#include "profile/survival.h"
#include "profile/verdict.h"

#define LIFESPAN_RISK 0.05 /* of a band's missing the truth */

/* Conclusions from records of lifetimes, of one site or a process. */
struct lifespan {
	u64 samples; /* 0: nothing known */
	struct lifespan_survival {
		struct survival_point young, tenured; /* of one cycle, of `tenure` cycles */
		double median_cycles;		      /* NAN: most live too long to tell */
	} objects, bytes;
	double growth, growth_error; /* bytes a second that come to stay */
	enum verdict verdict;
};

struct lifespan_sum {
	struct survival objects, bytes;
	struct flow flow; /* of bytes */
};

/* Zeroed, then: add a sample of `profile`. One without a record adds nothing. */
void lifespan_add(struct lifespan_sum *sum, const struct profile *profile, const struct profile_sample *sample);

/* The conclusion. Only for profiles whose model is known. */
void lifespan_conclude(const struct lifespan_sum *sum, const struct profile *profile, struct lifespan *ret_lifespan);

/* Of the whole process. 0 or -ENOMEM. */
int lifespan_of_process(const struct profile *profile, struct lifespan *ret_lifespan);

/* Cycles as time and as allocated bytes, by the mean length of those that were; 0 before the first has completed. */
double lifespan_cycle_ns(const struct profile *profile);
double lifespan_cycle_bytes(const struct profile *profile);

/* Seconds until the cgroup's memory limit at this growth; INFINITY: never, there is no limit, or the process has ended. */
double lifespan_time_left(const struct profile *profile, const struct lifespan *lifespan);

/* How many of a sample's objects in use (raw) are known to be older than `age_ns`. */
u64 lifespan_older(const struct profile *profile, const struct profile_sample *sample, u64 age_ns);

#endif
