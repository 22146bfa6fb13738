/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/sparkline.h"

#include <string.h>

#define LEVELS 8

static const char *mark(float value, float most, enum display_charset charset)
{
	static const char *const marks[][LEVELS] = {
		[DISPLAY_ASCII] = {"_", ".", ":", "-", "=", "+", "*", "#"},
		[DISPLAY_UTF8] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
	};
	unsigned int level = value > 0 ? (unsigned int)(value / most * (LEVELS - 1) + 0.5F) : 0;

	return marks[charset][level < LEVELS ? level : LEVELS - 1];
}

const char *sparkline(const float *values, u32 count, unsigned int columns, enum display_charset charset,
		      char line[SPARKLINE_SIZE])
{
	unsigned int width = columns < SPARKLINE_COLUMNS_MAX ? columns : SPARKLINE_COLUMNS_MAX;
	u32 first = count > width ? count - width : 0;
	float most = 0;

	for (u32 i = first; i < count; i++)
		most = values[i] > most ? values[i] : most;
	*line = '\0';
	for (unsigned int i = count - first; i < width; i++)
		strcat(line, " ");
	for (u32 i = first; i < count; i++)
		strcat(line, mark(values[i], most, charset));
	return line;
}
