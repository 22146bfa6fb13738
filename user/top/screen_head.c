/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/screen_head.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "format/process_end.h"
#include "format/summary_line.h"
#include "live/listing_population.h"
#include "format/table_memory.h"
#include "format/table_profile.h"
#include "profile/ledger.h"
#include "top/column.h"
#include "top/sparkline.h"

#define TITLE	      13 /* columns of "  resident   " */
#define LOW_SCREEN    14 /* lines, below which the table is more important */
#define SPARK_COLUMNS 20

u32 screen_head_lines(enum level level, u32 lines)
{
	if (lines && lines < LOW_SCREEN)
		return 2;
	return level == LEVEL_PROCESSES ? 4 : 6;
}

static void put_state(const struct screen_state *state, struct frame *frame)
{
	if (state->paused)
		frame_put_last(frame, STYLE_WARNING, "  paused");
}

static void put_spark(const struct history_row *history, struct frame *frame)
{
	char line[SPARKLINE_SIZE];

	if (history && history->count > 1)
		frame_put(frame, STYLE_CURVE, "  %s",
			  sparkline(history->inuse, history->count,
				    history->count < SPARK_COLUMNS ? history->count : SPARK_COLUMNS, frame->charset,
				    line));
}

/* --- how the table is ordered --- */

static void put_order(const struct screen_state *state, const struct screen_content *content, struct frame *frame)
{
	const struct screen_view *view = &state->views[content->rows->level];
	const struct column *column = column_find(content->rows->level, view->sort);

	frame_line(frame);
	if (!column)
		frame_put(frame, STYLE_DIM, "  order      what grows first%s", view->reversed ? ", reversed" : "");
	else
		frame_put(frame, STYLE_DIM, "  order      by %s%s", column->title, view->reversed ? ", reversed" : "");
	if (*view->filter)
		frame_put(frame, STYLE_WARNING, "  filter '%s' hides %" PRIu32, view->filter, content->rows->hidden);
	if (content->rows->history->marked)
		frame_put(frame, STYLE_WARNING, "  change in %s",
			  units_seconds((double)(content->now_ns - content->rows->history->marked_ns)).text);
}

/* --- all processes --- */

static void put_losses(const struct source_listing *listing, u64 lost, struct frame *frame)
{
	char text[160] = "";
	int length = 0;

	if (lost)
		length = snprintf(text, sizeof(text), "  lost %s", units_digits(lost).text);
	if (listing->processes_missing)
		length += snprintf(text + length, sizeof(text) - (size_t)length, "  processes not seen %s",
				   units_digits(listing->processes_missing).text);
	if (listing->processes_refused)
		snprintf(text + length, sizeof(text) - (size_t)length, "  processes refused %s",
			 units_digits(listing->processes_refused).text);
	if (*text)
		frame_put_last(frame, STYLE_WARNING, text);
}

static void put_sum(const struct screen_content *content, const struct population *population, struct frame *frame)
{
	char line[SUMMARY_LINE_SIZE];

	frame_put(frame, STYLE_PLAIN, "%s", summary_line_population(population, line));
	if (!isnan(content->all_rate))
		frame_put(frame, STYLE_PLAIN, "; %s/s allocated", units_bytes(content->all_rate).text);
	put_spark(content->all, frame);
}

static void put_growth_of_all(const struct index_table *table, struct frame *frame)
{
	const struct population_growth growth = population_growth(table->entries, table->count);

	frame_line(frame);
	if (!growth.processes) {
		frame_put(frame, STYLE_DIM, "  heap from before tracing began is not seen");
		return;
	}
	frame_put(frame, STYLE_GROWING, "  growth     %10s/s ±%s in %" PRIu32 " process%s",
		  units_bytes(growth.bytes).text, units_bytes(growth.error).text, growth.processes,
		  growth.processes == 1 ? "" : "es");
	if (isfinite(growth.left_s))
		frame_put(frame, STYLE_GROWING, ", limit reached in %s", units_seconds(growth.left_s * 1e9).text);
	frame_put(frame, STYLE_DIM, "  (older heap is not seen)");
}

static void put_processes(const struct screen_state *state, const struct screen_content *content, u32 count,
			  struct frame *frame)
{
	const struct source_listing *listing = content->listing;
	struct population population;

	listing_population(listing, &population);
	frame_line(frame);
	frame_put(frame, STYLE_TITLE, "%s, %s, %s", content->scope, units_seconds((double)listing->duration_ns).text,
		  summary_line_interval(listing->sample_bytes).text);
	if (listing->ended)
		frame_put_last(frame, STYLE_WARNING, ", ended");
	put_state(state, frame);
	put_losses(listing, population.lost, frame);
	frame_line(frame);
	put_sum(content, &population, frame);
	if (count <= 2)
		return;
	put_growth_of_all(&listing->processes, frame);
	put_order(state, content, frame);
}

/* --- one process --- */

static void put_memory(const struct profile *profile, struct frame *frame)
{
	u64 rss = profile->exited ? profile->rss_peak_bytes : profile->rss_end_bytes;
	char line[TABLE_MEMORY_LINE_SIZE];

	if (!profile->exited && profile->memory.known) {
		frame_put(
			frame, STYLE_PLAIN, "  resident   %s",
			table_memory_line(&profile->memory, frame->columns > TITLE ? frame->columns - TITLE : 0, line));
		return;
	}
	if (rss)
		frame_put(frame, STYLE_PLAIN, "  resident   %10s %s", units_bytes((double)rss).text,
			  profile->exited ? "at most" : "now");
	else
		frame_put(frame, STYLE_PLAIN, "  resident   not known");
	if (profile->rss_start_bytes)
		frame_put(frame, STYLE_PLAIN, ", %s at the start", units_bytes((double)profile->rss_start_bytes).text);
	frame_put(frame, STYLE_DIM, " (older heap is not seen)");
}

/* The head of `report`, without the end of its line; NULL: out of memory. The caller frees it. */
static char *head(const struct profile *profile)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	table_profile_print_head(profile, out);
	if (fclose(out) || !text)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* The end of a path, with "..." before it, that takes so many columns less; its last part at the least. */
static char *end_of_path(const char *path, unsigned int less, char buffer[PATH_MAX])
{
	const char *last = strrchr(path, '/');
	size_t cut = less + strlen("..."), most = last ? (size_t)(last - path) : 0;

	/* Not within a character of UTF-8. */
	while (cut < most && ((unsigned char)path[cut] & 0xc0) == 0x80)
		cut++;
	if (cut > most)
		cut = most;
	snprintf(buffer, PATH_MAX, "%s%s", cut > strlen("...") ? "..." : "", path + (cut > strlen("...") ? cut : 0));
	return buffer;
}

/*
 * "28237 example /usr/bin/example, 12 s, a sample per 512 KiB", as `report` has it. Where it is too long the beginning
 * of the path is left out, and what became of the process never is.
 */
static void put_identity(const struct profile *profile, struct frame *frame)
{
	char end[PROCESS_END_SIZE], last[PROCESS_END_SIZE + 2], path[PATH_MAX];
	struct profile shown = *profile;
	char *text = head(&shown);

	if (text && display_columns(text) > frame->columns && shown.exe) {
		shown.exe = end_of_path(shown.exe, display_columns(text) - frame->columns, path);
		free(text);
		text = head(&shown);
	}
	frame_put(frame, STYLE_TITLE, "%s", text ? text : "");
	if (profile->exited && text && display_columns(text) > frame->columns) {
		snprintf(last, sizeof(last), ", %s", process_end(profile, end));
		frame_put_last(frame, STYLE_WARNING, last);
	}
	free(text);
}

static void put_process(const struct screen_state *state, const struct screen_content *content, u32 count,
			struct frame *frame)
{
	const struct overview *overview = content->overview;
	const struct profile *profile = overview->profile;
	bool grows = overview->process.verdict == VERDICT_GROWING;
	u64 lost = overview->losses.count;
	char line[SUMMARY_LINE_SIZE];

	frame_line(frame);
	put_identity(profile, frame);
	put_state(state, frame);
	frame_line(frame);
	frame_put(frame, STYLE_PLAIN, "%s", summary_line_total(profile, &overview->sums, true, line));
	if (lost)
		frame_put_last(frame, STYLE_WARNING, units_format("  lost %s", units_digits(lost).text).text);
	if (count <= 2)
		return;
	frame_line(frame);
	frame_put(frame, STYLE_PLAIN, "%s", summary_line_total(profile, &overview->sums, false, line));
	frame_line(frame);
	frame_put(frame, grows ? STYLE_GROWING : STYLE_PLAIN, "%s", summary_line_growth(overview, "", line));
	frame_line(frame);
	put_memory(profile, frame);
	put_order(state, content, frame);
}

/* --- either --- */

static void put_missing(const struct screen_state *state, const struct screen_content *content, u32 count,
			struct frame *frame)
{
	frame_line(frame);
	frame_put(frame, STYLE_TITLE, "process %" PRIu32, state->target.pid);
	frame_line(frame);
	if (content->err)
		frame_put(frame, STYLE_WARNING, "  its profile cannot be had: %s", strerror(-content->err));
	else
		frame_put(frame, STYLE_DIM, "  waiting for its profile");
	while (frame->count < count && !frame->failed)
		frame_line(frame);
}

void screen_head_put(const struct screen_state *state, const struct screen_content *content, u32 lines,
		     struct frame *frame)
{
	u32 count = screen_head_lines(state->level, lines);

	if (state->level == LEVEL_PROCESSES)
		put_processes(state, content, count, frame);
	else if (content->overview)
		put_process(state, content, count, frame);
	else
		put_missing(state, content, count, frame);
}
