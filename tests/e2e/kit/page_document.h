/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The data of a page (docs/formats.md), as `--html` writes it and serve sends it. Functions fail the running test themselves. */
#include <stdint.h>

#include <cjson/cJSON.h>

/* In the order of enum measure. */
#define PAGE_MEASURES 4

/* What stands in the text of a page; the caller frees it with cJSON_Delete. */
cJSON *page_document(const char *html);

/* What the first view has: a member; the four totals; the site whose label begins so. */
const cJSON *page_document_item(const cJSON *page, const char *name);
void page_document_totals(const cJSON *page, uint64_t ret_total[PAGE_MEASURES]);
const cJSON *page_document_site(const cJSON *page, const char *label);

/* The summary of the first view has that line, to the byte. */
void page_document_assert_says(const cJSON *page, const char *line);
