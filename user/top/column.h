/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The columns of the tables: their titles, keys and widths, which of them fit, and the text of a cell. */
#include "top/display_text.h"
#include "top/rows.h"

struct column {
	enum figure figure;
	char key; /* that sorts by it; 0: nothing does */
	const char *title;
	u8 width, narrow;    /* in columns of the screen; 0: what is left */
	u8 drop[2];	     /* by level: the largest is left out first where the screen is narrow; 0: never */
	bool levels[2];	     /* has it */
	const char *meaning; /* for help */
};

extern const struct column column_table[];
extern const u32 column_count;

/* The column of that figure at a level, the one with that key; NULL: it has none. */
const struct column *column_find(enum level level, enum figure figure);
const struct column *column_find_key(enum level level, u32 key);

/* Those that are shown, from the left. */
struct layout {
	struct {
		const struct column *column;
		unsigned int width;
	} cells[FIGURE_MAX];
	unsigned int count;
};

void layout_make(const struct rows *rows, unsigned int columns, struct layout *ret_layout);

/* Clean, and no wider than `width`. */
#define CELL_SIZE 2048
void column_text(const struct rows *rows, const struct row *row, const struct column *column, unsigned int width,
		 enum display_charset charset, char text[CELL_SIZE]);

/* Does its text stand at the left of the cell? */
bool column_is_text(const struct column *column);
