/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The rows of the two tables, processes and call sites, with their figures, in the order in which they are shown. */
#include "top/history.h"
#include "format/index_write.h"
#include "view/overview.h"
#include "view/timeline.h"

enum level {
	LEVEL_PROCESSES,
	LEVEL_SITES, /* of a process */
	LEVEL_STACK, /* of a site */
};

enum figure {
	FIGURE_RANK, /* what to look at first: as `report` has it; not shown */
	FIGURE_INUSE,
	FIGURE_ERROR, /* the standard error of what is in use */
	FIGURE_HISTORY,
	FIGURE_RATE, /* bytes allocated a second: lately; or since the beginning, where there was no earlier look */
	FIGURE_CHANGE,
	FIGURE_GROWTH, /* bytes a second that come to stay */
	FIGURE_MEDIAN, /* age in ns that half of the objects reach; INFINITY: most live on */
	FIGURE_VERDICT,
	FIGURE_SAMPLES,
	FIGURE_RSS,
	FIGURE_LOST,
	FIGURE_PID,
	FIGURE_NAME,
	FIGURE_CONTAINER,
	FIGURE_MAX
};

struct row {
	u64 key;		   /* the same at every look; never 0 */
	double figure[FIGURE_MAX]; /* NAN: not known */
	enum verdict verdict;
	const struct index_entry *process; /* NULL: it is a site */
	const struct profile_site *site;
	const struct history_row *history; /* NULL: no memory */
};

struct rows {
	enum level level;
	struct row *rows;
	u32 count;
	u32 hidden; /* by the filter */
	bool has_containers;
	const struct history *history; /* all borrowed, and the profile that sites are of */
	const struct profile *profile;
};

/*
 * What was listed or looked at becomes rows, after history_look. Only processes whose name, PID or container has `filter` in it, and
 * sites whose file or stack has, whatever the case of its letters; "" lets all pass. 0 or -ENOMEM; rows_release in both cases.
 */
int rows_of_processes(const struct index_table *processes, struct history *history, const char *filter,
		      struct rows *ret_rows);
int rows_of_sites(const struct overview *overview, struct history *history, const char *filter, struct rows *ret_rows);
/* Before rows_of_sites: what the sites had in use at the points of a timeline. */
void rows_remember_sites(const struct overview *overview, struct history *history, struct timeline *timeline);
void rows_release(struct rows *rows);

/* Largest first, but names and PIDs smallest first; the other way round if `reversed`. What is not known comes last. */
void rows_sort(struct rows *rows, enum figure by, bool reversed);

/* The place of the row with that key; `count` if it is gone. */
u32 rows_find(const struct rows *rows, u64 key);

u64 rows_process_key(u32 pid, u32 image);
