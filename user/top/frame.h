/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A picture of the screen: lines of text, parts of which have a style. Text is clean and no line is wider than the frame. */
#include <stdbool.h>
#include <stdio.h>

#include "include/types.h"
#include "top/display_text.h"

enum frame_style {
	STYLE_PLAIN,
	STYLE_TITLE,  /* what is looked at */
	STYLE_DIM,    /* what explains */
	STYLE_HEAD,   /* of a table */
	STYLE_SORTED, /* the column that it is sorted by */
	STYLE_GROWING,
	STYLE_WARNING,
	STYLE_SELECTED, /* the row that Enter opens */
	STYLE_CURVE,
	STYLE_BAND,
	STYLE_MAX
};

#define FRAME_SPANS_MAX 64 /* of a line; what comes behind has the last one's style */

struct frame_line {
	char *text; /* never NULL once the line has begun */
	size_t size;
	unsigned int columns; /* taken */
	struct frame_span {
		size_t end; /* of its bytes in `text` */
		enum frame_style style;
	} spans[FRAME_SPANS_MAX];
	u32 span_count;
};

/* Begin with frame_open. */
struct frame {
	enum display_charset charset;
	unsigned int columns;
	struct frame_line *lines;
	u32 count;
	bool failed; /* no memory: lines are missing */
};

void frame_open(struct frame *frame, unsigned int columns, enum display_charset charset);
void frame_release(struct frame *frame);

/* Begin a line; add text to it, cleaned and cut to what is left of it. */
void frame_line(struct frame *frame);
__attribute__((format(printf, 3, 4))) void frame_put(struct frame *frame, enum frame_style style, const char *format,
						     ...);
/* Clean text at the end of the line, which is cut to make room for it. */
void frame_put_last(struct frame *frame, enum frame_style style, const char *text);
/* Clean text in a cell of that width, at its left or its right. */
void frame_cell(struct frame *frame, enum frame_style style, const char *text, unsigned int width, bool left);
/* Blanks up to a column. */
void frame_fill(struct frame *frame, enum frame_style style, unsigned int column);

/* Without styles, and without blanks at the ends of lines. */
void frame_print(const struct frame *frame, FILE *out);
