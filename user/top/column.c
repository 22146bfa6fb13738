/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/column.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "format/process_end.h"
#include "format/site_label.h"
#include "format/table_view.h"
#include "top/sparkline.h"

#define GAP 1 /* between columns */

#define BOTH_LEVELS                                                                                                    \
	{                                                                                                              \
		true, true                                                                                             \
	}
#define OF_PROCESSES                                                                                                   \
	{                                                                                                              \
		true, false                                                                                            \
	}
#define OF_SITES                                                                                                       \
	{                                                                                                              \
		false, true                                                                                            \
	}

/* Columns of a name: with fewer, the others become narrow, and with still fewer some are left out. */
static const struct {
	unsigned int good, least;
} name_columns[] = {[LEVEL_PROCESSES] = {20, 15}, [LEVEL_SITES] = {TABLE_VIEW_SITE, 22}};

const struct column column_table[] = {
	{FIGURE_INUSE,
	 'u',
	 "in use",
	 10,
	 10,
	 {0, 0},
	 BOTH_LEVELS,
	 "bytes allocated since tracing began and not freed yet; older heap is not seen"},
	{FIGURE_ERROR,
	 0,
	 "error",
	 11,
	 5,
	 {5, 5},
	 BOTH_LEVELS,
	 "standard error of in use: in two cases of three the truth is no further off"},
	{FIGURE_HISTORY,
	 0,
	 "lately",
	 16,
	 8,
	 {7, 4},
	 BOTH_LEVELS,
	 "in use at the last looks, and at the snapshots of a recording, from 0 to the highest"},
	{FIGURE_CHANGE, 'c', "change", 11, 11, {1, 2}, BOTH_LEVELS, "of in use since the baseline that b set"},
	{FIGURE_RATE, 'a', "alloc/s", 10, 10, {3, 6}, BOTH_LEVELS, "bytes allocated a second, freed or not"},
	{FIGURE_GROWTH,
	 'g',
	 "growth/s",
	 10,
	 10,
	 {2, 3},
	 BOTH_LEVELS,
	 "bytes a second that come to stay, where it grows"},
	{FIGURE_MEDIAN,
	 'm',
	 "median",
	 8,
	 8,
	 {0, 3},
	 OF_SITES,
	 "age that half of the objects reach; long: most live on"},
	{FIGURE_VERDICT,
	 'v',
	 "verdict",
	 9,
	 9,
	 {1, 1},
	 BOTH_LEVELS,
	 "what becomes of the objects (heaptap(8)); or how the process ended"},
	{FIGURE_SAMPLES, 's', "samples", 9, 9, {8, 7}, BOTH_LEVELS, "that the estimate is made of"},
	{FIGURE_RSS, 'r', "RSS", 10, 10, {4, 0}, OF_PROCESSES, "resident memory, of which in use is a part"},
	{FIGURE_LOST, 'l', "lost", 7, 7, {6, 0}, OF_PROCESSES, "events that could not be recorded, or not in full"},
	{FIGURE_PID, 'p', "pid", 9, 9, {0, 0}, OF_PROCESSES, "-2: the second program of that PID"},
	{FIGURE_CONTAINER, 'k', "container", 15, 12, {9, 0}, OF_PROCESSES, "name or id"},
	{FIGURE_NAME, 'n', "name", 0, 0, {0, 0}, BOTH_LEVELS, "of the process; where the site is, and its callers"},
};
const u32 column_count = sizeof(column_table) / sizeof(*column_table);

static bool has(const struct column *column, enum level level)
{
	return level <= LEVEL_SITES && column->levels[level];
}

const struct column *column_find(enum level level, enum figure figure)
{
	for (u32 i = 0; i < column_count; i++)
		if (column_table[i].figure == figure && has(&column_table[i], level))
			return &column_table[i];
	return NULL;
}

const struct column *column_find_key(enum level level, u32 key)
{
	for (u32 i = 0; i < column_count; i++)
		if (column_table[i].key && (u8)column_table[i].key == key && has(&column_table[i], level))
			return &column_table[i];
	return NULL;
}

bool column_is_text(const struct column *column)
{
	return column->figure == FIGURE_NAME || column->figure == FIGURE_CONTAINER ||
	       column->figure == FIGURE_VERDICT || column->figure == FIGURE_HISTORY;
}

/* --- what fits --- */

static bool is_there(const struct rows *rows, const struct column *column)
{
	if (column->figure == FIGURE_CONTAINER)
		return rows->has_containers;
	if (column->figure == FIGURE_CHANGE)
		return rows->history->marked;
	if (column->figure == FIGURE_HISTORY)
		return rows->history->look > 1 || rows->history->past;
	return true;
}

static unsigned int used(const struct layout *layout)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < layout->count; i++)
		sum += layout->cells[i].width + GAP;
	return sum;
}

static u8 drop_of(const struct layout *layout, unsigned int cell, enum level level)
{
	return layout->cells[cell].column->drop[level];
}

/* False: there is none that may be left out. */
static bool drop_one(struct layout *layout, enum level level)
{
	unsigned int last = 0;

	for (unsigned int i = 1; i < layout->count; i++)
		if (drop_of(layout, i, level) > drop_of(layout, last, level))
			last = i;
	if (!drop_of(layout, last, level))
		return false;
	layout->count--;
	memmove(&layout->cells[last], &layout->cells[last + 1], (layout->count - last) * sizeof(layout->cells[0]));
	return true;
}

void layout_make(const struct rows *rows, unsigned int columns, struct layout *ret_layout)
{
	struct layout *layout = ret_layout;
	unsigned int good = name_columns[rows->level].good, least = name_columns[rows->level].least;

	layout->count = 0;
	for (u32 i = 0; i < column_count; i++)
		if (has(&column_table[i], rows->level) && is_there(rows, &column_table[i])) {
			layout->cells[layout->count].column = &column_table[i];
			layout->cells[layout->count++].width = column_table[i].width;
		}
	if (used(layout) + good > columns)
		for (unsigned int i = 0; i < layout->count; i++)
			layout->cells[i].width = layout->cells[i].column->narrow;
	while (used(layout) + least > columns && drop_one(layout, rows->level))
		;
	/* The name is the last. */
	if (used(layout) < columns)
		layout->cells[layout->count - 1].width = columns - used(layout) + GAP;
}

/* --- cells --- */

static struct units_text signed_bytes(double bytes)
{
	return units_format("%s%s", bytes < 0 ? "-" : bytes > 0 ? "+" : "", units_bytes(fabs(bytes)).text);
}

/* Where there is no room for bytes, as a share. */
static struct units_text error(const struct rows *rows, const struct row *row, unsigned int width)
{
	double error = row->figure[FIGURE_ERROR], inuse = row->figure[FIGURE_INUSE];

	if (rows->profile ? profile_is_exact(rows->profile) : !error && inuse > 0)
		return units_format("exact");
	if (width < column_find(rows->level, FIGURE_ERROR)->width)
		return inuse > 0 ? units_format("±%.0f%%", 100 * error / inuse) : units_format("-");
	return units_format("±%s", units_bytes(error).text);
}

static struct units_text number(const struct rows *rows, const struct row *row, enum figure figure, unsigned int width)
{
	double value = row->figure[figure];

	if (isnan(value))
		return units_format("-");
	switch (figure) {
	case FIGURE_ERROR:
		return error(rows, row, width);
	case FIGURE_CHANGE:
		return signed_bytes(value);
	case FIGURE_MEDIAN:
		return isinf(value) ? units_format("long") : units_seconds(value);
	case FIGURE_SAMPLES:
	case FIGURE_LOST:
		return units_digits((u64)value);
	case FIGURE_PID:
		return row->process->facts->image > 1 ? units_format("%" PRIu32 "-%" PRIu32, row->process->facts->pid,
								     row->process->facts->image)
						      : units_format("%" PRIu32, row->process->facts->pid);
	default:
		return units_bytes(value);
	}
}

static void name(const struct rows *rows, const struct row *row, unsigned int width, char text[CELL_SIZE])
{
	char label[SITE_LABEL_SIZE];

	if (row->site)
		snprintf(text, CELL_SIZE, "%s", site_label(rows->profile, row->site, width < 3 ? 3 : width, label));
	else
		snprintf(text, CELL_SIZE, "%s", row->process->facts->comm);
}

void column_text(const struct rows *rows, const struct row *row, const struct column *column, unsigned int width,
		 enum display_charset charset, char text[CELL_SIZE])
{
	char raw[CELL_SIZE] = "", end[PROCESS_END_SIZE], id[SITE_LABEL_ID_COLUMNS + 1], line[SPARKLINE_SIZE];
	const char *container;

	if (column->figure == FIGURE_NAME) {
		name(rows, row, width, raw);
	} else if (column->figure == FIGURE_CONTAINER) {
		container = site_label_container(row->process->facts, id);
		snprintf(raw, sizeof(raw), "%s", container ? container : "");
	} else if (column->figure == FIGURE_VERDICT) {
		snprintf(raw, sizeof(raw), "%s",
			 row->process && row->process->facts->exited ? process_end_brief(row->process->facts, end)
								     : verdict_name(row->verdict));
	} else if (column->figure == FIGURE_HISTORY) {
		snprintf(raw, sizeof(raw), "%s",
			 row->history ? sparkline(row->history->inuse, row->history->count, width, charset, line) : "");
	} else {
		snprintf(raw, sizeof(raw), "%s", number(rows, row, column->figure, width).text);
	}
	display_clean(raw, charset, text, CELL_SIZE);
	display_cut(text, width);
}
