/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images counted by pid; owned by the recorder. */
#include "heap/imagecount.h"

#include <stdlib.h>

u32 imagecount_next(struct imagecount *counts, u32 pid)
{
	u32 place = pid % IMAGECOUNT_PIDS, **page = &counts->pages[place / IMAGECOUNT_PAGE];

	if (!*page)
		*page = calloc(IMAGECOUNT_PAGE, sizeof(**page));
	return *page ? ++(*page)[place % IMAGECOUNT_PAGE] : 0;
}

void imagecount_undo(struct imagecount *counts, u32 pid)
{
	u32 place = pid % IMAGECOUNT_PIDS;

	counts->pages[place / IMAGECOUNT_PAGE][place % IMAGECOUNT_PAGE]--;
}

void imagecount_release(struct imagecount *counts)
{
	for (u32 i = 0; i < IMAGECOUNT_PIDS / IMAGECOUNT_PAGE; i++)
		free(counts->pages[i]);
}
