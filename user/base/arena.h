/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Memory for very many small things that are given back together. Valid when zeroed. */
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* the newest first */
	size_t used;		    /* of the newest */
	size_t total;		    /* bytes of all */
};

/* Aligned for numbers and pointers, not zeroed, valid until the release. NULL: no memory. */
void *arena_take(struct arena *arena, size_t size);

void arena_release(struct arena *arena);
