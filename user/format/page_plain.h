/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A view of the page as plain HTML: the figures of its totals, and a table of its sites. */
#include <stdio.h>

#include "format/page_view.h"
#include "view/overview.h"

/* Text of others as HTML: as one line, in which nothing is markup. */
void page_plain_text(const char *text, FILE *out);

/* Errors of the stream stay there. */
void page_plain_view(const struct page_view *view, const struct overview *overview, FILE *out);
