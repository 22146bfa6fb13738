/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * --max-overhead: measures what the traps of all traced processes cost, as a share of the CPU time that these use, and does what overhead.h
 * decides. The cost is that of the summary's line: traps, as the programs count them, at what a trap that takes no sample was measured to
 * cost here. Every step is said, counted for the processes that live, and left in what the recorder knows (heap/restraint.h).
 */
#include "trace/overhead.h"
#include "trace/windows.h"

struct image;
struct tracer;

#define BUDGET_INTERVAL_NS 5000000000ULL /* at least, and one period of windows */
#define BUDGET_CPU_NS	   100000000ULL	 /* the same: of less CPU time a share says nothing */

/* Traps and time of all processes so far. */
struct budget_sums {
	u64 alloc_hits, free_hits, cpu_ns;
	u64 go_hits;	/* in Go's runtime: a hit for each birth and each death of an object that Go samples */
	double work_ns; /* CPU time less what the traps cost */
};

struct budget {
	struct overhead overhead;
	struct windows windows;
	struct budget_sums sums, read, interval; /* now, when all were last read, and when the interval began */
	u64 interval_ns, looked_ns;
	bool inlined;			      /* only samples trap, wherever that can be had */
	struct budget_sums opened;	      /* when the window opened */
	double window_cost_ns, window_cpu_ns; /* of all windows */
};

/* Once the tracer has a recorder. `inlined`: --inline is given, so that there is nothing to be had but the end. */
void budget_begin(struct tracer *tracer, double limit_percent, bool inlined);

/* Some tens of times a second. */
void budget_look(struct tracer *tracer, u64 now_ns);

bool budget_is_spent(const struct tracer *tracer); /* the last step is taken: tracing is to end */

/* The image (NULL: there is none) is settled: what it had used since it was last looked at. */
void budget_settled(struct tracer *tracer, struct image *image);
