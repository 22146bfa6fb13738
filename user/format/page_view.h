/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a page shows of one profile, as JSON (docs/formats.md). */
#include <stdio.h>

#include "format/index_write.h"

enum page_view_kind {
	PAGE_VIEW_PROCESS,
	PAGE_VIEW_CONTAINER,
	PAGE_VIEW_ALL,
};

#define PAGE_VIEW_NO_ENTRY 0xffffffffu

struct page_view {
	enum page_view_kind kind;
	const char *name;
	const struct profile *profile;
	u32 entry; /* whose it is, of the page's processes; or PAGE_VIEW_NO_ENTRY */
	/* Earlier profiles of the same, oldest first, without this one; they are read one at a time as they are needed. */
	u32 moment_count;
	int (*read_moment)(u32 index, void *arg, struct profile **ret_profile); /* 0 or negative errno: left out */
	void *arg;
	FILE *plain;  /* where the same is written as HTML for readers without scripts; NULL: nowhere */
	FILE *glance; /* where what is seen of it first is written, as page_glance.h says; NULL: nowhere */
};

/* How much of it. */
struct page_detail {
	u32 nodes; /* of each tree */
	u32 sites;
	u32 moments, rows; /* at most so many moments, and of all together so many nodes */
};

struct page;

/* One JSON object, flushed. 0 or negative errno. */
int page_view_write(const struct page *page, const struct page_view *view, const struct page_detail *detail, FILE *out);
