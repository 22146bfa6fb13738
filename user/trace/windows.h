/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * When the probes are on, where they are on for a share of the time only. Time is that in which the traced processes do their own work: their
 * CPU time less what their traps cost. By the clock, a program that computes all the time does less work while the probes are on than while
 * they are off, and so would be said to allocate less than it does.
 *
 * It is divided into periods of `scale` windows of equal length, and in each period one of them is drawn, every one as likely. So each
 * piece of work is seen with the probability 1 / scale whatever the program does in which rhythm, and what is seen, counted `scale` times,
 * is an unbiased estimate of all (Horvitz and Thompson 1952). Windows that were too long are made up for by the length of the next ones.
 *
 * How far the estimate may be off is estimated from the differences of successive windows (collapsed strata, Cochran 1977, 5A.12), which
 * is too much rather than too little: with n windows of x calls each, (1 - 1/scale) n sum of (scale (x - x'))^2 / (2 (n - 1)).
 *
 * Knows no clock and no links: windows_look says what is due, and its caller tells when that was done.
 */
#include <stdbool.h>

#include "include/types.h"

#define WINDOW_NS 100000000ULL

enum window_change {
	WINDOW_STAYS = 0,
	WINDOW_OPENS = 1,  /* the probes are to be on */
	WINDOW_CLOSES = 2, /* they are to be off */
};

struct windows {
	u32 scale; /* 0: there are none */
	u32 drawn; /* which of this period's */
	bool open, done;
	u64 period_ns, opened_ns; /* when they began */
	s64 owed_ns;		  /* the probes were on for so much less than their share */
	/* of all since the first */
	u64 open_ns, passed_ns;
	double calls, variance; /* estimate, and its variance but for what follows */
	/* with this scale */
	u32 count;
	double last, squares;
};

/* From now on, with the probes off: one window out of `scale`. `random` is uniform over u32, as in windows_look. */
void windows_begin(struct windows *windows, u32 scale, u64 now_ns, u32 random);

/* The probes are on always from now on; what was estimated stays. They are off when this is called. */
void windows_end(struct windows *windows, u64 now_ns);

/* Is a period over, and the next one not begun? Then what was seen is of whole periods, and another scale may begin. */
bool windows_period_is_over(const struct windows *windows, u64 now_ns);

enum window_change windows_look(struct windows *windows, u64 now_ns, u32 random);
void windows_opened(struct windows *windows, u64 now_ns);
void windows_closed(struct windows *windows, u64 now_ns, u64 calls); /* so many were seen in it */

/* The standard error of the number of calls since the first window, as a share of it; 0: nothing was seen. */
double windows_error(const struct windows *windows);
