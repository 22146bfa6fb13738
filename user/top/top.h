/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The room top/ looks at a source again and again, and shows what it sees on a screen or as plain text.
 *
 *   top.c, batch.c    the loops: keys, time, the end
 *     |  terminal.c   ncurses, and the terminal as it was
 *   watch.c           what was seen last, what came before it (history.c), what of it is looked at (screen_state.c)
 *     |  reading.c    asks the source, in a thread of its own; past.c: its snapshots
 *   screen*.c         from that to a frame (frame.c): rows.c, column.c, sparkline.c, curve.c. Pure, as screen_state.c and history.c are
 */
#include "live/source.h"

struct top_options {
	const char *path;  /* of a recording; NULL: something that runs */
	const char *scope; /* what is traced, in words */
	bool batch;	   /* plain text on standard output, without a terminal */
	bool machine;	   /* no target was named: the whole machine is traced, which the user is asked about */
	bool yes;	   /* do not ask */
	u32 count;	   /* frames of --batch; 0: until nothing more comes */
	u32 rows;	   /* of the table, in each of those */
	double delay_s;	   /* from one look to the next */
};

/* What keeps a screen from being shown, before anything is traced: STATUS_DONE, or STATUS_USAGE with the reason logged. */
int top_check(const struct top_options *options);

/* For struct live_client, with the options as its `arg`. Ends when the user wants, or `stop_fd` is readable. Returns enum status. */
int top_run(struct source *source, int stop_fd, void *arg);
