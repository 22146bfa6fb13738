/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a profile's records of lifetimes say of several of its samples together: of one site, or of the whole process. */
#include "profile/profile.h"
#include "profile/survival.h"
#include "profile/verdict.h"

#define LIFETIME_SUMMARY_RISK 0.05 /* of a band's missing the truth */

/* Conclusions from records of lifetimes, of one site or a process. */
struct lifetime_summary {
	u64 samples; /* 0: nothing known */
	struct lifetime_summary_survival {
		struct survival_point young, tenured; /* of one cycle, of `tenure` cycles */
		double median_cycles;		      /* NAN: most live too long to tell */
	} objects, bytes;
	enum verdict verdict;
	double growth, growth_error; /* bytes a second that come to stay; 0 unless it is growing */
};

struct lifetime_sum {
	struct survival objects, bytes;
	struct flow flow; /* of bytes */
	u64 size;	  /* of the first sample */
	bool sizes_differ;
};

/* Zeroed, then: add a sample of `profile`. One without a record adds nothing. */
void lifetime_summary_add(struct lifetime_sum *sum, const struct profile *profile, const struct profile_sample *sample);

/* The conclusion. Only for profiles whose model is known. */
void lifetime_summary_conclude(const struct lifetime_sum *sum, const struct profile *profile,
			       struct lifetime_summary *ret_summary);

/* The same without survival bands, which take most of the time: of survival only the medians. */
void lifetime_summary_judge(const struct lifetime_sum *sum, const struct profile *profile,
			    struct lifetime_summary *ret_summary);

/* The summary of the whole process. 0 or -ENOMEM. */
int lifetime_summary_of_process(const struct profile *profile, struct lifetime_summary *ret_summary);

/* The mean length of the completed cycles, in time and in allocated bytes; 0 before the first has completed. */
double lifetime_summary_cycle_ns(const struct profile *profile);
double lifetime_summary_cycle_bytes(const struct profile *profile);

/* How long half of the objects live at least, in ns. INFINITY: most live too long to tell; NAN: nothing is known, or no cycle has completed. */
double lifetime_summary_median_ns(const struct profile *profile, const struct lifetime_summary *summary);

/* Seconds until the cgroup's memory limit at this growth; INFINITY: never, there is no limit, or the process has ended. */
double lifetime_summary_time_left(const struct profile *profile, const struct lifetime_summary *summary);

/* How many of a sample's objects in use (raw) are known to be older than `age_ns`. */
u64 lifetime_summary_older(const struct profile *profile, const struct profile_sample *sample, u64 age_ns);
