/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/screen_stack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "format/site_label.h"
#include "format/summary_line.h"
#include "top/column.h"
#include "top/curve.h"
#include "top/screen_head.h"
#include "top/sparkline.h"

/* --- figures --- */

static void put_rate(const struct rows *rows, const struct row *row, struct frame *frame)
{
	double change = row->figure[FIGURE_CHANGE];
	char line[SPARKLINE_SIZE];

	frame_line(frame);
	frame_put(frame, STYLE_PLAIN, "  lately     %10s/s allocated",
		  units_bytes(isnan(row->figure[FIGURE_RATE]) ? 0 : row->figure[FIGURE_RATE]).text);
	if (!isnan(change))
		frame_put(frame, STYLE_WARNING, ", in use %s%s since the baseline", change < 0 ? "-" : "+",
			  units_bytes(fabs(change)).text);
	if (row->history && row->history->count > 1)
		frame_put(
			frame, STYLE_CURVE, "  %s",
			sparkline(row->history->inuse, row->history->count, row->history->count, frame->charset, line));
	(void)rows;
}

static struct units_text survival(const struct survival_point *point)
{
	if (!(point->at_risk > 0) && point->estimate > 0)
		return units_format("not known");
	return units_format("%.1f%% (%.1f to %.1f)", 100 * point->estimate, 100 * point->lower, 100 * point->upper);
}

static void put_lifetimes(const struct rows *rows, const struct row *row, struct frame *frame)
{
	const struct lifetime_summary *summary = &row->site->lifetime_summary;
	double median = row->figure[FIGURE_MEDIAN];

	frame_line(frame);
	frame_put(frame, row->verdict == VERDICT_GROWING ? STYLE_GROWING : STYLE_PLAIN, "  verdict    %s",
		  verdict_name(row->verdict));
	if (row->verdict == VERDICT_GROWING)
		frame_put(frame, STYLE_GROWING, ", %s/s ±%s", units_bytes(summary->growth).text,
			  units_bytes(summary->growth_error).text);
	if (!summary->samples)
		return;
	if (isinf(median))
		frame_put(frame, STYLE_PLAIN, "; most objects live on");
	else if (!isnan(median))
		frame_put(frame, STYLE_PLAIN, "; half of the objects live for %s", units_seconds(median).text);
	frame_line(frame);
	frame_put(frame, STYLE_PLAIN, "  survival   of 1 cycle %s, of %u %s", survival(&summary->objects.young).text,
		  rows->profile->model.tenure, survival(&summary->objects.tenured).text);
}

static void put_curve(const struct survival_curve *curve, struct frame *frame)
{
	frame_line(frame);
	frame_put(frame, STYLE_HEAD, "  share of its objects that live so long, and the band of %.0f%%",
		  100 * (1 - LIFETIME_SUMMARY_RISK));
	curve_put(curve, frame);
}

/* --- stack --- */

static void put_stack(const struct rows *rows, const struct row *row, struct frame *frame)
{
	char *text = NULL, *rest, *line;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	site_label_stack(rows->profile, row->site, out);
	fclose(out);
	frame_line(frame);
	frame_put(frame, STYLE_HEAD, "  stack of its heaviest sample, innermost first");
	for (rest = text; (line = strsep(&rest, "\n")) && rest;) {
		frame_line(frame);
		frame_put(frame, strncmp(line, "    > ", 6) ? STYLE_PLAIN : STYLE_TITLE, "%s", line);
	}
	free(text);
}

void screen_stack_put(const struct rows *rows, const struct row *row, const struct survival_curve *curve,
		      struct frame *frame)
{
	char label[SITE_LABEL_SIZE], line[SUMMARY_LINE_SIZE];

	frame_line(frame);
	frame_put(frame, STYLE_TITLE, "%s",
		  site_label(rows->profile, row->site, frame->columns < 8 ? 8 : frame->columns, label));
	frame_line(frame);
	frame_put(frame, STYLE_PLAIN, "%s", summary_line_total(rows->profile, row->site, true, line));
	frame_line(frame);
	frame_put(frame, STYLE_PLAIN, "%s", summary_line_total(rows->profile, row->site, false, line));
	put_rate(rows, row, frame);
	put_lifetimes(rows, row, frame);
	if (curve && row->site->lifetime_summary.samples)
		put_curve(curve, frame);
	put_stack(rows, row, frame);
}

void screen_stack_put_gone(struct frame *frame)
{
	frame_line(frame);
	frame_put(frame, STYLE_WARNING, "  this site has no sample any more");
}
