/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/screen_help.h"

#include "top/column.h"

static const struct {
	const char *key, *does;
} keys[] = {
	{"arrows", "choose a row or scroll, as PgUp, PgDn, Home and End do"},
	{"Enter", "call sites of the process; stack of the site"},
	{"Escape", "undo the filter, then go back"},
	{"< >", "sort by the column beside; a key below sorts by its column, again: the other way"},
	{"o", "sort by what to look at first: what grows, then by in use"},
	{"/", "show only rows that have the text that is typed next"},
	{"b, B", "set a baseline, from when change counts; forget it"},
	{"d", "write the profile of the process, now, into the current directory"},
	{"Space", "stand still; go on"},
	{"Ctrl-L", "draw everything again"},
	{"h", "this"},
	{"q", "end"},
};

static void put_column(const struct column *column, struct frame *frame)
{
	frame_line(frame);
	frame_put(frame, STYLE_TITLE, "  %c  ", column->key ? column->key : ' ');
	frame_put(frame, STYLE_HEAD, "%-10s", column->title);
	frame_put(frame, STYLE_PLAIN, " %s", column->meaning);
}

void screen_help_put(enum level level, struct frame *frame)
{
	for (u32 i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		frame_line(frame);
		frame_put(frame, STYLE_TITLE, "  %-8s", keys[i].key);
		frame_put(frame, STYLE_PLAIN, "  %s", keys[i].does);
	}
	frame_line(frame);
	for (u32 i = 0; i < column_count; i++)
		if (column_table[i].meaning &&
		    column_find(level == LEVEL_STACK ? LEVEL_SITES : level, column_table[i].figure))
			put_column(&column_table[i], frame);
}
