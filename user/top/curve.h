/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How long objects live, as a curve of characters with its band: steps from 100 % at age 0 downwards. */
#include "top/frame.h"
#include "view/survival_curve.h"

#define CURVE_ROWS 9 /* lines that it takes, with its axes */

/*
 * Adds that many lines, as wide as the frame; the axis of time is logarithmic from the first age above 0 on. Or one line that says why
 * there is no curve.
 */
void curve_put(const struct survival_curve *curve, struct frame *frame);
