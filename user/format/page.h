/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The page: one HTML file that shows profiles in a browser. It is complete in itself: its policy lets it ask for nothing, and run
 * no script but its own, which is in page/. Readers without scripts see the same figures as tables.
 */
#include "format/page_data.h"

struct page_document {
	struct page data;
	char *plain; /* HTML of the tables; NULL: none yet */
	size_t plain_size;
};

/* As page_data_add_view, with the view's table. */
int page_add_view(struct page_document *page, const struct page_view *view);

/* Flushed. 0 or negative errno. */
int page_write(const struct page_document *page, FILE *out);

void page_release(struct page_document *page);
