/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How many sites and stacks all images of a recording together may have in memory, so that heaptap's own memory cannot
 * grow without end. The thread that drains the ring takes them, and the thread that frees an image gives them back.
 */
#include <stdatomic.h>

#include "include/types.h"

struct quota {
	u64 max;
	_Atomic u64 used;
};

/* What one image has of it. `quota` NULL: there is no limit. */
struct quota_share {
	struct quota *quota;
	u64 taken;
	bool refused; /* it wanted more at some time */
};

/* One more; false: there are none left. */
static inline bool quota_take(struct quota_share *share)
{
	if (!share->quota)
		return true;
	if (atomic_load(&share->quota->used) >= share->quota->max) {
		share->refused = true;
		return false;
	}
	atomic_fetch_add(&share->quota->used, 1);
	share->taken++;
	return true;
}

static inline void quota_give_back(struct quota_share *share)
{
	if (share->quota)
		atomic_fetch_sub(&share->quota->used, share->taken);
	share->taken = 0;
}
