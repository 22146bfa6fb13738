/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What rows of a table were at earlier looks: for what is allocated a second, for sparklines, and for the change since a
 * baseline. A row is known by its key.
 */
#include "base/hash.h"
#include "include/types.h"
#include "view/site_table.h"

#define HISTORY_POINTS 60 /* kept of each row, the newest */
#define HISTORY_RATES  5  /* intervals, over which a rate is the mean */

struct history_row {
	UT_hash_handle hh;
	u64 key;
	u64 look;			  /* when it was added last */
	u32 count;			  /* of inuse */
	float inuse[HISTORY_POINTS];	  /* bytes, oldest first */
	u64 allocated[HISTORY_RATES + 1]; /* bytes since the beginning, newest first */
	u32 allocated_count;
	bool marked;	 /* it was there when the baseline was set */
	double baseline; /* in use then */
};

/* Valid when zeroed. */
struct history {
	struct site_table sites; /* that keys of sites are made of */
	struct history_row *rows;
	u64 look;		      /* number of the last one */
	u64 at_ns[HISTORY_RATES + 1]; /* of looks, newest first */
	u32 at_count;
	bool past;   /* there are points from before the first look */
	bool marked; /* there is a baseline */
	u64 marked_ns;
};

/* A new look, at that time. Rows that the one before did not have are forgotten, but not their baselines. */
void history_look(struct history *history, u64 now_ns);

/* A row of this look; what is said of it again is ignored. NULL: no memory. */
const struct history_row *history_add(struct history *history, u64 key, u64 inuse_bytes, u64 allocated_bytes);

/* What a row of this look that has not been added yet had in use before, oldest first. */
void history_past(struct history *history, u64 key, const u64 *inuse_bytes, u32 count);

/* Bytes allocated a second in the last looks; NAN: only one look had it. */
double history_rate(const struct history *history, const struct history_row *row);

/* Take what is in use now as the baseline; or have none any more. */
void history_mark(struct history *history, u64 now_ns);
void history_unmark(struct history *history);

/* In use now less than at the baseline is negative; a row that came later counts from 0. NAN: there is no baseline. */
double history_change(const struct history *history, const struct history_row *row);

void history_release(struct history *history);
