/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The data of the page (docs/formats.md): one JSON document, made of views of profiles, that may stand in a script element.
 * Profiles are added one after the other, so that only one need be in memory, until the page is full.
 */
#include <stdio.h>

#include "format/index_write.h"
#include "format/page_difference.h"
#include "format/page_view.h"

#define PAGE_DATA_MAX (4 << 20) /* bytes of views; the first one fits always */

struct page {
	/* What is shown; borrowed. */
	const char *title;
	bool live; /* it goes on: the page is of a recording that runs */
	u64 start_unix_ns, duration_ns, sample_bytes;
	bool alloc_only;
	const char *attach;		   /* NULL or "": unknown */
	const struct index_entry *entries; /* the processes */
	u32 entry_count;
	u64 processes_missing, processes_refused;
	/* Zeroed at first. */
	u32 *view_of; /* by entry: its view, plus one; 0: none */
	char *views;  /* JSON, one after the other */
	size_t size;
	u32 view_count;
	char *glance; /* JSON, of the first view; NULL: none */
	size_t glance_size;
	char *difference, *difference_glance; /* JSON; NULL: none */
	size_t difference_size, difference_glance_size;
};

/* Add a view. 0; 1: the page is full, and it was left out; or negative errno. */
int page_data_add_view(struct page *page, const struct page_view *view);

/* Add the difference between two profiles. 0 or negative errno. */
int page_data_add_difference(struct page *page, const struct page_pair *pair);

/*
 * What is seen first of the same, as a document of that form: without processes, of the first view what page_glance.h says, or of a
 * difference, which stands before it, what page_difference.h says. Without any of these null. Flushed. 0 or negative errno.
 */
int page_data_write_glance(const struct page *page, FILE *out);

/* Flushed. 0 or negative errno. */
int page_data_write(const struct page *page, FILE *out);

void page_data_release(struct page *page);
