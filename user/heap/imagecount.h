/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IMAGECOUNT_H
#define IMAGECOUNT_H
/*
 * How many images each pid has had: what must outlast the images themselves, since files are named by it. Four bytes a
 * pid, in pages made when first needed; valid when zeroed.
 */
#include "include/types.h"

#define IMAGECOUNT_PIDS (1u << 22) /* the kernel's own limit */
#define IMAGECOUNT_PAGE 1024u

struct imagecount {
	u32 *pages[IMAGECOUNT_PIDS / IMAGECOUNT_PAGE];
};

/* One more of `pid`: its number (1, 2, 3 ...); 0: no memory. */
u32 imagecount_next(struct imagecount *counts, u32 pid);

/* The one counted last has not come to be. */
void imagecount_undo(struct imagecount *counts, u32 pid);

void imagecount_release(struct imagecount *counts);

#endif
