/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The sites of a page: the largest by each of the measures, and the rest in one row. */
#include "format/page_functions.h"
#include "view/overview.h"
#include "view/timeline.h"

/*
 * "sites": at most `max` of them, largest first, one a line, with their survival, and their history if the timeline has
 * earlier points. 0 or -ENOMEM.
 */
int page_sites_write(const struct overview *overview, struct timeline *timeline, u32 max,
		     struct page_functions *functions, struct json *json);

/* The same of the first `max` in the order of the overview, without survival, of which they have the median. */
int page_sites_write_first(const struct overview *overview, struct timeline *timeline, u32 max,
			   struct page_functions *functions, struct json *json);
