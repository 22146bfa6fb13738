/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images counted by pid; owned by the recorder. */
#include "heap/image_count.h"

#include <stdlib.h>

u32 image_count_next(struct image_count *counts, u32 pid)
{
	u32 place = pid % IMAGE_COUNT_PIDS, **page = &counts->pages[place / IMAGE_COUNT_PAGE];

	if (!*page)
		*page = calloc(IMAGE_COUNT_PAGE, sizeof(**page));
	return *page ? ++(*page)[place % IMAGE_COUNT_PAGE] : 0;
}

void image_count_undo(struct image_count *counts, u32 pid)
{
	u32 place = pid % IMAGE_COUNT_PIDS;

	counts->pages[place / IMAGE_COUNT_PAGE][place % IMAGE_COUNT_PAGE]--;
}

void image_count_release(struct image_count *counts)
{
	for (u32 i = 0; i < IMAGE_COUNT_PIDS / IMAGE_COUNT_PAGE; i++)
		free(counts->pages[i]);
}
