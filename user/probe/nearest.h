/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The names that are most like one that was asked for in vain: what was meant, if it was misspelt. */
#include <stddef.h>

#define NEAREST_MAX	   3
#define NEAREST_NAME_BYTES 64 /* longer names are not compared: nobody types them */

struct nearest {
	const char *wanted;
	char names[NEAREST_MAX][NEAREST_NAME_BYTES]; /* the most like first */
	unsigned int distance[NEAREST_MAX], count;
};

void nearest_add(struct nearest *nearest, const char *name);

/* " (nearest: pool_put, pool_get)", or "" when none is like it. Returns `text`. */
const char *nearest_text(const struct nearest *nearest, char *text, size_t size);
