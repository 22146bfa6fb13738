/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Values over time in one line of characters, each as high as its share of the largest. */
#include "include/types.h"
#include "top/display_text.h"

#define SPARKLINE_COLUMNS_MAX 60
#define SPARKLINE_SIZE	      (3 * SPARKLINE_COLUMNS_MAX + 1)

/*
 * The last `columns` values (at most SPARKLINE_COLUMNS_MAX), the newest at the right, from 0 to the largest of them. Where there
 * are fewer, the left stays blank. A value that is not above 0 is the lowest mark. Returns `line`.
 */
const char *sparkline(const float *values, u32 count, unsigned int columns, enum display_charset charset,
		      char line[SPARKLINE_SIZE]);
