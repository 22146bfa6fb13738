/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* From what is known and what is looked at to a frame. Pure. */
#include "live/source.h"
#include "top/frame.h"
#include "top/screen_state.h"
#include "view/survival_curve.h"

/* What is known. All borrowed. */
struct screen_content {
	const char *scope; /* what is traced, in words */
	const struct source_listing *listing;
	const struct overview *overview;    /* of the chosen process; NULL: none is, or its profile is not to be had */
	const struct rows *rows;	    /* of the level; of sites at the level of a stack, too */
	const struct survival_curve *curve; /* of the site whose stack is shown; NULL: not known */
	const struct history_row *all;	    /* of all processes together; NULL: not known */
	double all_rate;		    /* bytes a second that they allocate, NAN: not known */
	u64 now_ns;
	int err; /* why there is no overview at a level that needs one */
};

/*
 * `lines` 0: as many as it takes, with `top` rows of the table at most and without the last line, which says what keys do. Scrolls
 * state's stack and help back where they have been scrolled too far. frame_release afterwards.
 */
void screen_compose(struct screen_state *state, const struct screen_content *content, unsigned int columns, u32 lines,
		    u32 top, enum display_charset charset, struct frame *ret_frame);

/* How many rows of the table fit. */
u32 screen_rows(const struct screen_state *state, u32 lines);
