/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A source that is looked at again and again: what was seen last, what came before it, and what of it is shown. */
#include "top/reading.h"
#include "top/screen.h"

struct watch {
	const char *scope; /* what is traced, in words; borrowed */
	struct screen_state state;
	struct reading reading;	      /* the last one */
	struct rows rows;	      /* of it */
	struct survival_curve *curve; /* of the site whose stack is shown; NULL: none is, or it is not known */
	struct history processes, all, sites;
	struct screen_target sites_of; /* whose history `sites` is */
	bool began;		       /* there was a reading */
	bool unattended;	       /* nobody presses keys: the level follows from how many processes there are */
};

void watch_open(struct watch *watch, const char *scope);
void watch_release(struct watch *watch);

/* What is to be read next. */
struct reading_want watch_want(const struct watch *watch);

/* Takes the reading over. One of a single process may show its sites at once: then watch_want is another, and wanted at once. */
void watch_take(struct watch *watch, struct reading *reading);

/* Order, filter or level are others. */
void watch_sort(struct watch *watch);

void watch_mark(struct watch *watch, bool mark);

/* As screen_compose. */
void watch_compose(struct watch *watch, unsigned int columns, u32 lines, u32 top, enum display_charset charset,
		   struct frame *ret_frame);
