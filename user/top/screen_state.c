/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/screen_state.h"

#include <string.h>

#include "base/text.h"
#include "top/column.h"

#define CONTROL(letter) ((letter)&0x1f)

void screen_state_init(struct screen_state *state)
{
	*state = (struct screen_state){0};
}

void screen_state_open(struct screen_state *state, u32 pid, u32 image)
{
	struct screen_view *view = &state->views[LEVEL_SITES];

	if (state->target.pid != pid || state->target.image != image)
		*view = (struct screen_view){.sort = view->sort, .reversed = view->reversed};
	state->target = (struct screen_target){pid, image};
	state->level = LEVEL_SITES;
}

void screen_state_settle(struct screen_state *state, const struct rows *rows, u32 height)
{
	struct screen_view *view = &state->views[state->level];
	u32 place = view->selected ? rows_find(rows, view->selected) : 0;

	if (state->level == LEVEL_STACK) /* its lines are no rows */
		return;
	if (place < rows->count)
		view->place = place;
	else if (view->place >= rows->count) /* it is gone: its neighbour */
		view->place = rows->count ? rows->count - 1 : 0;
	if (view->selected && view->place < rows->count)
		view->selected = rows->rows[view->place].key;
	if (view->first > view->place)
		view->first = view->place;
	if (height && view->place - view->first >= height)
		view->first = view->place - height + 1;
	if (rows->count <= height)
		view->first = 0;
}

/* --- moving --- */

/* Where that key leads to from `at`, of `count` places; `at` if nowhere. */
static u32 moved(u32 key, u32 at, u32 count, u32 page)
{
	u32 last = count ? count - 1 : 0;

	page = page > 1 ? page - 1 : 1;
	switch (key) {
	case SCREEN_KEY_UP:
		return at ? at - 1 : 0;
	case SCREEN_KEY_DOWN:
		return at < last ? at + 1 : last;
	case SCREEN_KEY_PAGE_UP:
		return at > page ? at - page : 0;
	case SCREEN_KEY_PAGE_DOWN:
		return last - at > page ? at + page : last;
	case SCREEN_KEY_HOME:
		return 0;
	case SCREEN_KEY_END:
		return last;
	default:
		return at;
	}
}

static bool is_movement(u32 key)
{
	return key == SCREEN_KEY_UP || key == SCREEN_KEY_DOWN || (key >= SCREEN_KEY_PAGE_UP && key <= SCREEN_KEY_END);
}

static void move_selection(struct screen_state *state, u32 key, const struct rows *rows, u32 height)
{
	struct screen_view *view = &state->views[state->level];

	if (!rows->count)
		return;
	view->place = moved(key, view->place, rows->count, height);
	view->selected = rows->rows[view->place].key;
	screen_state_settle(state, rows, height);
}

/* Whoever draws it knows how many lines there are, and goes back. */
static void scroll(u32 key, u32 height, u32 *first)
{
	*first = moved(key, *first, 1u << 20, height);
}

/* --- levels --- */

static enum screen_request go_down(struct screen_state *state, const struct rows *rows)
{
	const struct screen_view *view = &state->views[state->level];
	const struct row *row;

	if (state->level == LEVEL_STACK || view->place >= rows->count)
		return REQUEST_NONE;
	row = &rows->rows[view->place];
	if (state->level == LEVEL_PROCESSES) {
		screen_state_open(state, row->process->facts->pid, row->process->facts->image);
		return REQUEST_READ;
	}
	state->site = row->key;
	state->views[LEVEL_STACK].first = 0;
	state->level = LEVEL_STACK;
	return REQUEST_ROWS;
}

static enum screen_request go_up(struct screen_state *state)
{
	if (state->level == LEVEL_PROCESSES)
		return REQUEST_NONE;
	state->level--;
	return REQUEST_ROWS;
}

static enum screen_request escape(struct screen_state *state)
{
	char *filter = state->views[state->level].filter;

	if (!*filter)
		return go_up(state);
	*filter = '\0';
	return REQUEST_ROWS;
}

/* --- order and filter --- */

static enum screen_request sort_by(struct screen_state *state, enum figure figure)
{
	struct screen_view *view = &state->views[state->level];

	view->reversed = view->sort == figure && !view->reversed;
	view->sort = figure;
	view->selected = 0;
	view->place = view->first = 0;
	return REQUEST_ROWS;
}

/* The column beside the one that it is sorted by, of those that are shown; `step` 1 or -1. */
static enum screen_request sort_beside(struct screen_state *state, const struct rows *rows, int step)
{
	struct screen_view *view = &state->views[state->level];
	enum figure order[FIGURE_MAX] = {FIGURE_RANK};
	int count = 1, at = 0;

	for (u32 i = 0; i < column_count; i++) {
		const struct column *column = column_find(state->level, column_table[i].figure);

		if (!column || !column->key || (column->figure == FIGURE_CHANGE && !rows->history->marked) ||
		    (column->figure == FIGURE_CONTAINER && !rows->has_containers))
			continue;
		if (column->figure == view->sort)
			at = count;
		order[count++] = column->figure;
	}
	at += step;
	return at < 0 || at >= count ? REQUEST_NONE : sort_by(state, order[at]);
}

static void drop_character(char *filter)
{
	size_t length = strlen(filter);

	while (length && ((u8)filter[--length] & 0xc0) == 0x80)
		;
	filter[length] = '\0';
}

static void add_character(char *filter, u32 key)
{
	size_t length = strlen(filter), size = key < 0x80 ? 1 : key < 0x800 ? 2 : key < 0x10000 ? 3 : 4;

	if (length + size >= FILTER_SIZE)
		return;
	filter += length;
	if (size == 1)
		filter[0] = (char)key;
	else
		filter[0] = (char)(0xf00 >> size | key >> 6 * (size - 1));
	for (size_t i = 1; i < size; i++)
		filter[i] = (char)(0x80 | (key >> 6 * (size - 1 - i) & 0x3f));
	filter[size] = '\0';
	if (text_is_control(filter))
		*filter = '\0';
}

static enum screen_request edit_filter(struct screen_state *state, u32 key)
{
	struct screen_view *view = &state->views[state->level];

	if (key == SCREEN_KEY_ENTER || key == SCREEN_KEY_ESCAPE)
		state->filtering = false;
	if (key == SCREEN_KEY_ENTER)
		return REQUEST_NONE;
	if (key == SCREEN_KEY_ESCAPE || key == CONTROL('U'))
		*view->filter = '\0';
	else if (key == SCREEN_KEY_BACKSPACE || key == CONTROL('H'))
		drop_character(view->filter);
	else if (key >= ' ' && key < SCREEN_KEY_UP)
		add_character(view->filter, key);
	return REQUEST_ROWS;
}

/* --- keys --- */

static enum screen_request help_key(struct screen_state *state, u32 key, u32 height)
{
	if (is_movement(key))
		scroll(key, height, &state->help_first);
	else
		state->help = false;
	return REQUEST_NONE;
}

static enum screen_request write_request(struct screen_state *state, const struct rows *rows)
{
	const struct screen_view *view = &state->views[LEVEL_PROCESSES];
	const struct profile *facts;

	if (state->level == LEVEL_PROCESSES) {
		if (view->place >= rows->count)
			return REQUEST_NONE;
		facts = rows->rows[view->place].process->facts;
		state->target = (struct screen_target){facts->pid, facts->image};
	}
	return REQUEST_WRITE;
}

static enum screen_request table_key(struct screen_state *state, u32 key, const struct rows *rows)
{
	const struct column *column = column_find_key(state->level, key);

	if (column)
		return sort_by(state, column->figure);
	switch (key) {
	case 'o':
		return sort_by(state, FIGURE_RANK);
	case '<':
		return sort_beside(state, rows, -1);
	case '>':
		return sort_beside(state, rows, 1);
	case '/':
		state->filtering = true;
		return REQUEST_NONE;
	case 'b':
		return REQUEST_BASELINE;
	case 'B':
		return REQUEST_NO_BASELINE;
	default:
		return REQUEST_NONE;
	}
}

static enum screen_request key_of_all_levels(struct screen_state *state, u32 key, const struct rows *rows)
{
	switch (key) {
	case 'q':
		return REQUEST_QUIT;
	case 'h':
	case '?':
		state->help = true;
		state->help_first = 0;
		return REQUEST_NONE;
	case ' ':
		state->paused = !state->paused;
		return state->paused ? REQUEST_NONE : REQUEST_READ;
	case 'd':
		return write_request(state, rows);
	case CONTROL('L'):
		return REQUEST_REDRAW;
	case SCREEN_KEY_ENTER:
	case SCREEN_KEY_RIGHT:
		return go_down(state, rows);
	case SCREEN_KEY_LEFT:
	case SCREEN_KEY_BACKSPACE:
		return go_up(state);
	case SCREEN_KEY_ESCAPE:
		return escape(state);
	default:
		return state->level == LEVEL_STACK ? REQUEST_NONE : table_key(state, key, rows);
	}
}

enum screen_request screen_state_key(struct screen_state *state, u32 key, const struct rows *rows, u32 height)
{
	*state->message = '\0';
	screen_state_settle(state, rows, height); /* rows may have come since they were drawn */
	if (state->help)
		return help_key(state, key, height);
	if (state->filtering && !is_movement(key))
		return edit_filter(state, key);
	if (!is_movement(key))
		return key_of_all_levels(state, key, rows);
	if (state->level == LEVEL_STACK)
		scroll(key, height, &state->views[LEVEL_STACK].first);
	else
		move_selection(state, key, rows, height);
	return REQUEST_NONE;
}
