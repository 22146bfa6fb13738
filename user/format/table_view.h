/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How much of a profile tables show, and how wide they may be. */
#include <stdbool.h>

#define TABLE_VIEW_COLUMNS 116 /* where nobody says how wide */
#define TABLE_VIEW_LINE	   40
#define TABLE_VIEW_SITE	   36 /* a site's columns at least */

struct table_view {
	unsigned int top;     /* sites */
	unsigned int columns; /* of a line; 0: TABLE_VIEW_COLUMNS */
	bool stacks;	      /* each site with a whole stack of its own */
};

/* As wide as COLUMNS says, or the terminal that the descriptor is of; else 0. */
unsigned int table_view_columns(int fd);

/* The columns of a line that is cut to `columns` (0: TABLE_VIEW_COLUMNS), TABLE_VIEW_LINE at least. */
unsigned int table_view_line(unsigned int columns);

/* What is left for a site beside `used` columns. */
unsigned int table_view_site(const struct table_view *view, unsigned int used);
