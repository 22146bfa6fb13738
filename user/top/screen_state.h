/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the user looks at: level, order, filter, selected row; and what a key makes of it. Pure. */
#include "top/rows.h"

/* A key is a character of Unicode or one of these. */
enum screen_key {
	SCREEN_KEY_NONE = 0,
	SCREEN_KEY_ENTER = '\n',
	SCREEN_KEY_ESCAPE = 0x1b,
	SCREEN_KEY_BACKSPACE = 0x7f,
	SCREEN_KEY_UP = 0x110000,
	SCREEN_KEY_DOWN,
	SCREEN_KEY_LEFT,
	SCREEN_KEY_RIGHT,
	SCREEN_KEY_PAGE_UP,
	SCREEN_KEY_PAGE_DOWN,
	SCREEN_KEY_HOME,
	SCREEN_KEY_END,
};

/* What the caller is to do after a key, besides drawing. */
enum screen_request {
	REQUEST_NONE,
	REQUEST_QUIT,
	REQUEST_READ,	  /* another process, or no pause any more: look now */
	REQUEST_ROWS,	  /* another order or filter */
	REQUEST_BASELINE, /* of this level's rows, which are shown */
	REQUEST_NO_BASELINE,
	REQUEST_WRITE,	/* the profile of the process in `target` */
	REQUEST_REDRAW, /* everything: another program has written on the screen */
};

#define FILTER_SIZE 64

struct screen_view {
	enum figure sort;
	bool reversed;
	char filter[FILTER_SIZE];
	u64 selected; /* key of a row; 0: the first, whichever it is */
	u32 place;    /* of that row */
	u32 first;    /* row, or line of a stack or of help, that is shown at the top */
};

struct screen_state {
	enum level level;
	struct screen_view views[LEVEL_STACK + 1];
	struct screen_target {
		u32 pid, image;
	} target; /* the process whose sites are shown; pid 0: none yet */
	u64 site; /* key of the one whose stack is shown */
	bool paused, help, filtering;
	u32 help_first;
	char message[256]; /* until the next key; "": none */
};

void screen_state_init(struct screen_state *state);

/* Show the sites of a process. */
void screen_state_open(struct screen_state *state, u32 pid, u32 image);

/* The rows may be others: keep the selected one, and on the `height` rows of the screen. */
void screen_state_settle(struct screen_state *state, const struct rows *rows, u32 height);

/* A key, while these rows are shown on `height` rows; a stack and help scroll, their end is the caller's to know. */
enum screen_request screen_state_key(struct screen_state *state, u32 key, const struct rows *rows, u32 height);
