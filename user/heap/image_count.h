/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HEAP_IMAGE_COUNT_H
#define HEAP_IMAGE_COUNT_H
/*
 * How many images each pid has had: what must outlast the images themselves, since files are named by it. Four bytes a
 * pid, in pages made when first needed; valid when zeroed.
 */
#include "include/types.h"

#define IMAGE_COUNT_PIDS (1u << 22) /* the kernel's own limit */
#define IMAGE_COUNT_PAGE 1024u

struct image_count {
	u32 *pages[IMAGE_COUNT_PIDS / IMAGE_COUNT_PAGE];
};

/* One more of `pid`: its number (1, 2, 3 ...); 0: no memory. */
u32 image_count_next(struct image_count *counts, u32 pid);

/* The one counted last has not come to be. */
void image_count_undo(struct image_count *counts, u32 pid);

void image_count_release(struct image_count *counts);

#endif
