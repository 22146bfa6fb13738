/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/page_plain.h"

extern const char page_template[]; /* of page_template.S: HTML with places for what differs */

/* --- what readers without scripts see --- */

static int keep_plain(struct page_document *page, const char *text, size_t size)
{
	char *plain = realloc(page->plain, page->plain_size + size + 1);

	if (!plain)
		return -ENOMEM;
	memcpy(plain + page->plain_size, text, size);
	page->plain = plain;
	page->plain_size += size;
	return 0;
}

int page_add_view(struct page_document *page, const struct page_view *view)
{
	struct page_view with_plain = *view;
	char *text = NULL;
	size_t size;
	int err;

	with_plain.plain = open_memstream(&text, &size);
	err = with_plain.plain ? page_data_add_view(&page->data, &with_plain) : -ENOMEM;
	if (with_plain.plain && fclose(with_plain.plain))
		err = -ENOMEM;
	if (!err)
		err = keep_plain(page, text, size);
	free(text);
	return err;
}

/* --- the document --- */

static int write_title(const struct page_document *page, FILE *out)
{
	page_plain_text(page->data.title, out);
	fputs(" &ndash; heap profile", out);
	return 0;
}

static int write_plain(const struct page_document *page, FILE *out)
{
	fputs("<h1>", out);
	page_plain_text(page->data.title, out);
	fputs("</h1>\n<p>With scripts this page has pictures. The heap from before heaptap attached is unseen.</p>\n",
	      out);
	if (page->plain)
		fwrite(page->plain, 1, page->plain_size, out);
	return 0;
}

static int write_glance(const struct page_document *page, FILE *out)
{
	return page_data_write_glance(&page->data, out);
}

static int write_data(const struct page_document *page, FILE *out)
{
	return page_data_write(&page->data, out);
}

static const struct {
	const char *place;
	int (*write)(const struct page_document *page, FILE *out);
} places[] = {{"@TITLE@", write_title}, {"@GLANCE@", write_glance}, {"@PLAIN@", write_plain}, {"@DATA@", write_data}};

/* The places stand in this order in the template. */
int page_write(const struct page_document *page, FILE *out)
{
	const char *rest = page_template;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *place = strstr(rest, places[i].place);
		int err;

		if (!place)
			return -EINVAL;
		fwrite(rest, 1, (size_t)(place - rest), out);
		err = places[i].write(page, out);
		if (err)
			return err;
		rest = place + strlen(places[i].place);
	}
	fputs(rest, out);
	return fflush(out) || ferror(out) ? -(errno ? errno : EIO) : 0;
}

void page_release(struct page_document *page)
{
	page_data_release(&page->data);
	free(page->plain);
}
