/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/site_table.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "view/code_label.h"

static int number_text(struct site_table *table, const char *text, struct site_table_text *last)
{
	if (last->text == text && last->entry)
		return 0;
	last->text = text;
	return intern_add(&table->texts, text, (u32)strlen(text) + 1, &last->entry) < 0 ? -ENOMEM : 0;
}

/* Its texts have been numbered. */
static int number_key(struct site_table *table, u32 line, bool named, u32 *ret_number)
{
	struct site_name name = {(const char *)table->last[0].entry->bytes, (const char *)table->last[1].entry->bytes,
				 line};
	struct intern_key key = {0};
	int added;

	intern_key_put_u64(&key, table->last[0].entry->index);
	intern_key_put_u64(&key, table->last[1].entry->index);
	intern_key_put_u64(&key, (u64)line << 1 | named);
	added = intern_add_key(&table->keys, &key, ret_number);
	if (added <= 0)
		return added;
	if (array_grow(&table->names, table->count, 1))
		return -ENOMEM;
	table->names[table->count++] = name;
	return 0;
}

int site_table_number(struct site_table *table, const struct profile *profile, const struct profile_site *site,
		      u32 *ret_number)
{
	const struct profile_location *location = site->location;
	const struct profile_line *line = profile_site_line(site);
	const char *function = "", *file = "";
	char code[CODE_LABEL_SIZE];

	if (line) {
		function = location->lines[location->line_count - 1].system_name;
		function = function ? function : "";
		file = line->file ? line->file : "";
	} else if (location) {
		code_label(profile, location, code);
		function = code;
		table->last[0].entry = NULL; /* the buffer's text is another each time */
	}
	if (number_text(table, function, &table->last[0]) || number_text(table, file, &table->last[1]))
		return -ENOMEM;
	return number_key(table, line ? line->line : 0, line, ret_number);
}

void site_table_forget(struct site_table *table)
{
	table->last[0] = table->last[1] = (struct site_table_text){0};
}

void site_table_release(struct site_table *table)
{
	intern_release(&table->texts);
	intern_release(&table->keys);
	free(table->names);
}
