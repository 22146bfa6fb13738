/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What is seen of a view at the first glance: the same figures with so few boxes and sites that a browser shows them at once, while it
 * still reads the whole. What is too small for it is gathered, so that every sum is that of the whole.
 */
#include "format/page_view.h"
#include "view/call_tree.h"
#include "view/overview.h"
#include "view/timeline.h"

/* To view->glance, flushed: a view as in docs/formats.md. The tree is gathered further. 0 or negative errno. */
int page_glance_write(const struct page *page, const struct page_view *view, const struct overview *overview,
		      struct call_tree *tree, struct timeline *timeline);
