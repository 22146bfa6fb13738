/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The page (format/page.h) of a source: all processes together, then each container, then each process, the heaviest first, as far
 * as the page has room; or the one view that is wanted (of all processes, where no pid and no container is). Where there is one process, its view is all there is.
 */
#include <regex.h>
#include <stdio.h>

#include "live/source.h"

struct page_views_options {
	const char *title;		/* where there are several processes; one gives its own name */
	const regex_t *site_skip;	/* functions that sites pass over; NULL: none beside those that are known */
	const struct source_want *want; /* NULL: everything */
	/* The page also says what differs from an earlier recording, as a whole; NULL: none. Both are given to compare(). */
	struct source *before;
	const char *before_name;
	void (*compare)(const struct profile *before, const struct profile *after, const void *arg);
	const void *arg;
};

/* Flushed. 0; -ENOENT: there is no such process or container, or no profile at all; or another negative errno. */
int page_views_write(struct source *source, const struct page_views_options *options, FILE *out);

/* The name of a view: "28237 example". Returns `name`. */
#define PAGE_VIEWS_NAME_SIZE 128
const char *page_views_name(const struct profile *facts, char name[PAGE_VIEWS_NAME_SIZE]);
