/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a page shows of two profiles, as JSON (docs/formats.md), and the same with so few boxes and sites that a browser shows them at once,
 * while it still reads the whole. What is too small for that is gathered, so that every sum is that of the whole.
 */
#include <stdio.h>

#include "profile/profile.h"

struct page_pair {
	const struct profile *before, *after;
	const char *before_name, *after_name;
};

/* One JSON object each, flushed. 0 or negative errno. */
int page_difference_write(const struct page_pair *pair, FILE *whole, FILE *glance);
