/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/table_view.h"

#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/parse_number.h"
#include "include/types.h"

#define COLUMNS_MAX 10000

unsigned int table_view_columns(int fd)
{
	const char *text = getenv("COLUMNS");
	struct winsize size;
	u64 columns;

	if (text && !parse_number(text, COLUMNS_MAX, &columns))
		return (unsigned int)columns;
	return ioctl(fd, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

unsigned int table_view_line(unsigned int columns)
{
	columns = columns ? columns : TABLE_VIEW_COLUMNS;
	return columns < TABLE_VIEW_LINE ? TABLE_VIEW_LINE : columns;
}

unsigned int table_view_site(const struct table_view *view, unsigned int used)
{
	unsigned int columns = view->columns ? view->columns : TABLE_VIEW_COLUMNS;

	return columns > used + TABLE_VIEW_SITE ? columns - used : TABLE_VIEW_SITE;
}
