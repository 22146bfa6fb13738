/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/screen.h"

#include <inttypes.h>
#include <string.h>

#include "top/column.h"
#include "top/screen_head.h"
#include "top/screen_help.h"
#include "top/screen_stack.h"

#define FOOT 1 /* lines */

u32 screen_rows(const struct screen_state *state, u32 lines)
{
	u32 others = screen_head_lines(state->level, lines) + 1 + FOOT;

	if (state->help || state->level == LEVEL_STACK)
		others = FOOT;
	return lines > others ? lines - others : 1;
}

/* --- the table --- */

static void put_titles(const struct screen_view *view, const struct layout *layout, struct frame *frame)
{
	frame_line(frame);
	for (unsigned int i = 0; i < layout->count; i++) {
		const struct column *column = layout->cells[i].column;
		bool last = i + 1 == layout->count;

		frame_cell(frame, column->figure == view->sort ? STYLE_SORTED : STYLE_HEAD, column->title,
			   layout->cells[i].width, column_is_text(column));
		if (!last)
			frame_put(frame, STYLE_HEAD, " ");
	}
}

static enum frame_style style_of(const struct row *row, const struct column *column)
{
	if (row->verdict == VERDICT_GROWING && (column->figure == FIGURE_GROWTH || column->figure == FIGURE_VERDICT))
		return STYLE_GROWING;
	if (column->figure == FIGURE_LOST && row->figure[FIGURE_LOST] > 0)
		return STYLE_WARNING;
	if (column->figure == FIGURE_HISTORY)
		return STYLE_CURVE;
	return row->process && row->process->facts->exited ? STYLE_DIM : STYLE_PLAIN;
}

static void put_row(const struct rows *rows, const struct row *row, const struct layout *layout, bool selected,
		    struct frame *frame)
{
	char text[CELL_SIZE];

	frame_line(frame);
	for (unsigned int i = 0; i < layout->count; i++) {
		const struct column *column = layout->cells[i].column;

		column_text(rows, row, column, layout->cells[i].width, frame->charset, text);
		frame_cell(frame, selected ? STYLE_SELECTED : style_of(row, column), text, layout->cells[i].width,
			   column_is_text(column));
		if (i + 1 < layout->count)
			frame_put(frame, selected ? STYLE_SELECTED : STYLE_PLAIN, " ");
	}
	if (selected)
		frame_fill(frame, STYLE_SELECTED, frame->columns);
}

static void put_nothing(const struct rows *rows, struct frame *frame)
{
	frame_line(frame);
	if (rows->hidden)
		frame_put(frame, STYLE_DIM, "  nothing has the filter's text in it: Escape shows all");
	else
		frame_put(frame, STYLE_DIM, rows->level == LEVEL_PROCESSES ? "  no process yet" : "  no sample yet");
}

/* On a screen the selected row is marked; without one, what is not shown is counted. */
static void put_table(const struct screen_state *state, const struct rows *rows, u32 height, bool screen,
		      struct frame *frame)
{
	const struct screen_view *view = &state->views[rows->level];
	u32 end = rows->count - view->first > height ? view->first + height : rows->count;
	struct layout layout;

	layout_make(rows, frame->columns, &layout);
	put_titles(view, &layout, frame);
	if (!rows->count)
		put_nothing(rows, frame);
	for (u32 i = view->first; i < end; i++)
		put_row(rows, &rows->rows[i], &layout, screen && i == view->place, frame);
	if (!screen && end < rows->count) {
		frame_line(frame);
		frame_put(frame, STYLE_DIM, "  and %" PRIu32 " more", rows->count - end);
	}
}

/* --- lines that scroll --- */

/* Take those before `first` away, but only so many that the last line is still shown. */
static void scroll(struct frame *frame, u32 height, u32 *first)
{
	u32 most = frame->count > height ? frame->count - height : 0;

	*first = *first < most ? *first : most;
	for (u32 i = 0; i < frame->count; i++) {
		struct frame_line *line = &frame->lines[i];

		if (i < *first || i >= *first + height)
			free(line->text);
		else
			frame->lines[i - *first] = *line;
	}
	frame->count = frame->count - *first < height ? frame->count - *first : height;
}

static void put_site(const struct screen_state *state, const struct screen_content *content, struct frame *frame)
{
	const struct rows *rows = content->rows;
	u32 place = rows_find(rows, state->site);

	if (place < rows->count)
		screen_stack_put(rows, &rows->rows[place], content->curve, frame);
	else
		screen_stack_put_gone(frame);
}

/* --- the last line --- */

static void put_keys(const struct screen_state *state, struct frame *frame)
{
	static const char *const keys[] = {
		[LEVEL_PROCESSES] = "h help  q quit  Enter sites  / filter  < > sort  b baseline  d write  Space pause",
		[LEVEL_SITES] = "h help  q quit  Enter stack  Esc back  / filter  < > sort  b baseline  d write",
		[LEVEL_STACK] = "h help  q quit  Esc back  arrows scroll  d write  Space pause",
	};

	frame_line(frame);
	if (state->filtering)
		frame_put(frame, STYLE_TITLE, "/%s", state->views[state->level].filter);
	else if (*state->message)
		frame_put(frame, STYLE_TITLE, "%s", state->message);
	else
		frame_put(frame, STYLE_DIM, "%s",
			  state->help ? "arrows scroll, any other key closes help" : keys[state->level]);
}

void screen_compose(struct screen_state *state, const struct screen_content *content, unsigned int columns, u32 lines,
		    u32 top, enum display_charset charset, struct frame *ret_frame)
{
	struct frame *frame = ret_frame;
	u32 height = screen_rows(state, lines);

	frame_open(frame, columns, charset);
	if (state->help) {
		screen_help_put(state->level, frame);
		scroll(frame, height, &state->help_first);
	} else if (state->level == LEVEL_STACK) {
		put_site(state, content, frame);
		if (lines)
			scroll(frame, height, &state->views[LEVEL_STACK].first);
	} else {
		screen_head_put(state, content, lines, frame);
		put_table(state, content->rows, lines ? height : top, lines, frame);
	}
	if (!lines)
		return;
	scroll(frame, lines - FOOT, &(u32){0});
	while (frame->count + FOOT < lines && !frame->failed)
		frame_line(frame);
	put_keys(state, frame);
}
