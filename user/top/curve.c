/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/curve.h"

#include <math.h>
#include <string.h>

#include "base/units.h"

#define ROWS	    (CURVE_ROWS - 2) /* of the curve: the axis and its numbers are below */
#define COLUMNS_MAX 100
#define LABEL	    8 /* columns of the numbers at the left, and the axis */

struct curve {
	const struct survival_curve_point *points;
	u32 count;
	unsigned int columns;
};

/* The age that a column stands for: 0 at the first. */
static double age_at(const struct curve *curve, unsigned int column)
{
	double first = 0, last = (double)curve->points[curve->count - 1].age_ns;

	for (u32 i = 0; i < curve->count && first <= 0; i++)
		first = (double)curve->points[i].age_ns;
	if (!column || first <= 0)
		return 0;
	return first * pow(last / first, (double)(column - 1) / (curve->columns > 2 ? curve->columns - 2 : 1));
}

/* The last point that is not younger; with an allowance for rounding. */
static const struct survival_curve_point *point_at(const struct curve *curve, double age_ns)
{
	const struct survival_curve_point *found = &curve->points[0];

	for (u32 i = 0; i < curve->count && (double)curve->points[i].age_ns <= age_ns * (1 + 1e-9); i++)
		found = &curve->points[i];
	return found;
}

static int row_of(double share)
{
	double bounded = share < 0 ? 0 : share > 1 ? 1 : share;

	return (int)lround((1 - bounded) * (ROWS - 1));
}

static void put_cell(const struct survival_curve_point *point, int row, struct frame *frame)
{
	static const char *const marks[][2] = {[DISPLAY_ASCII] = {"=", ":"}, [DISPLAY_UTF8] = {"━", "░"}};

	if (row == row_of(point->estimate))
		frame_put(frame, STYLE_CURVE, "%s", marks[frame->charset][0]);
	else if (row >= row_of(point->upper) && row <= row_of(point->lower))
		frame_put(frame, STYLE_BAND, "%s", marks[frame->charset][1]);
	else
		frame_put(frame, STYLE_PLAIN, " ");
}

static void put_row(const struct curve *curve, int row, struct frame *frame)
{
	frame_line(frame);
	if (row % 3)
		frame_put(frame, STYLE_DIM, "%*s", LABEL - 1, "");
	else
		frame_put(frame, STYLE_DIM, "%*.0f%% ", LABEL - 3, 100.0 * (ROWS - 1 - row) / (ROWS - 1));
	frame_put(frame, STYLE_DIM, "%s", frame->charset == DISPLAY_UTF8 ? "│" : "|");
	for (unsigned int i = 0; i < curve->columns; i++)
		put_cell(point_at(curve, age_at(curve, i)), row, frame);
}

static void put_age(unsigned int column, double age_ns, bool before, struct frame *frame)
{
	struct units_text text = units_seconds(age_ns);

	frame_fill(frame, STYLE_DIM, LABEL + column - (before ? (unsigned int)strlen(text.text) - 1 : 0));
	frame_put(frame, STYLE_DIM, "%s", text.text);
}

static void put_axis(const struct curve *curve, struct frame *frame)
{
	frame_line(frame);
	frame_put(frame, STYLE_DIM, "%*s%s", LABEL - 1, "", frame->charset == DISPLAY_UTF8 ? "└" : "+");
	for (unsigned int i = 0; i < curve->columns; i++)
		frame_put(frame, STYLE_DIM, "%s", frame->charset == DISPLAY_UTF8 ? "─" : "-");
	frame_line(frame);
	frame_fill(frame, STYLE_DIM, LABEL);
	frame_put(frame, STYLE_DIM, "0");
	if (curve->columns > 40)
		put_age(curve->columns / 2, age_at(curve, curve->columns / 2), false, frame);
	if (curve->columns > 20)
		put_age(curve->columns - 1, age_at(curve, curve->columns - 1), true, frame);
}

void curve_put(const struct survival_curve *survival, struct frame *frame)
{
	unsigned int width = frame->columns > LABEL + 2 ? frame->columns - LABEL - 1 : 1;
	struct curve curve = {survival->points, survival->count, width < COLUMNS_MAX ? width : COLUMNS_MAX};

	if (survival->count < 2) {
		frame_line(frame);
		frame_put(frame, STYLE_DIM, "  no curve of survival yet: no object is old enough");
		return;
	}
	for (int row = 0; row < ROWS; row++)
		put_row(&curve, row, frame);
	put_axis(&curve, frame);
}
