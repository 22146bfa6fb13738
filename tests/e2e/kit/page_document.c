/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "page_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session.h"

cJSON *page_document(const char *html)
{
	const char *begin = strstr(html, "<script type=\"application/json\" id=\"data\">"), *end;
	cJSON *page;
	char *text;

	if (!begin)
		fail_msg("no data in the page:\n%.2000s", html);
	begin = strchr(begin, '>') + 1;
	end = strstr(begin, "</script>");
	assert_non_null(end);
	text = strndup(begin, (size_t)(end - begin));
	page = cJSON_Parse(text);
	if (!page)
		fail_msg("the page's data is no JSON:\n%.2000s", text);
	free(text);
	return page;
}

const cJSON *page_document_item(const cJSON *page, const char *name)
{
	const cJSON *view = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(page, "views"), 0);
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(view, name);

	if (!item)
		fail_msg("the page's first view has no %s", name);
	return item;
}

void page_document_totals(const cJSON *page, uint64_t ret_total[PAGE_MEASURES])
{
	static const char *const names[PAGE_MEASURES] = {"alloc_objects", "alloc_space", "inuse_objects",
							 "inuse_space"};

	for (unsigned int m = 0; m < PAGE_MEASURES; m++)
		ret_total[m] = index_number(page_document_item(page, "totals"), format("%s.value", names[m]));
}

const cJSON *page_document_site(const cJSON *page, const char *label)
{
	const cJSON *site;

	cJSON_ArrayForEach (site, page_document_item(page, "sites")) {
		const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(site, "label"));

		if (text && !strncmp(text, label, strlen(label)))
			return site;
	}
	fail_msg("no site %s in the page:\n%s", label, cJSON_Print(page_document_item(page, "sites")));
	return NULL;
}

void page_document_assert_says(const cJSON *page, const char *line)
{
	const cJSON *said;

	cJSON_ArrayForEach (said, page_document_item(page, "summary"))
		if (!strcmp(cJSON_GetStringValue(said), line))
			return;
	fail_msg("no \"%s\" in the page's summary:\n%s", line, cJSON_Print(page_document_item(page, "summary")));
}
