/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/page_functions.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "format/site_label.h"

/* 0 is the text that is not known. */
static int number_text(struct page_functions *functions, const char **text, u64 *ret_number)
{
	const struct interned *entry;

	*ret_number = 0;
	if (!*text)
		return 0;
	if (intern_add(&functions->texts, *text, (u32)strlen(*text) + 1, &entry) < 0)
		return -ENOMEM;
	*text = (const char *)entry->bytes;
	*ret_number = entry->index + 1UL;
	return 0;
}

int page_functions_number(struct page_functions *functions, const struct page_function *function, u32 *ret_number)
{
	struct page_function kept = *function;
	struct intern_key key = {0};
	u64 name, file;
	int added;

	if (number_text(functions, &kept.name, &name) || number_text(functions, &kept.file, &file))
		return -ENOMEM;
	intern_key_put_u64(&key, name);
	intern_key_put_u64(&key, file);
	intern_key_put_u64(&key, kept.role);
	added = intern_add_key(&functions->keys, &key, ret_number);
	if (added <= 0)
		return added;
	if (array_grow(&functions->functions, functions->count, 1))
		return -ENOMEM;
	functions->functions[functions->count++] = kept;
	return 0;
}

int page_functions_number_frame(struct page_functions *functions, const struct profile *profile,
				const struct profile_location *location, u32 line, u32 *ret_number)
{
	struct page_function function = {.role = location->role};
	char name[CODE_LABEL_BRACKETED_SIZE];

	if (location->line_count) {
		const struct profile_line *of = &location->lines[line];

		function = (struct page_function){of->function, of->file, of->role};
	} else {
		function.name = code_label_bracketed(profile, location, name);
	}
	return page_functions_number(functions, &function, ret_number);
}

#define BRIEF_MAX (CODE_LABEL_SIZE / 2) /* a longer one may lack its end */

/* Nothing where it says no less than the name: names of code and of what is unknown are brackets all around. */
static void write_brief(const char *name, struct json *json)
{
	char brief[CODE_LABEL_SIZE];

	if (*name != '[' && *site_label_function(name, brief) && strlen(brief) < strlen(name) &&
	    strlen(brief) < BRIEF_MAX)
		json_text(json, NULL, brief);
}

void page_functions_write(const struct page_functions *functions, struct json *json)
{
	json_array(json, "functions");
	for (u32 i = 0; i < functions->count; i++) {
		json_array(json, NULL);
		json_text(json, NULL, functions->functions[i].name);
		json_text(json, NULL, functions->functions[i].file);
		json_u64(json, NULL, functions->functions[i].role);
		write_brief(functions->functions[i].name, json);
		json_close(json);
	}
	json_close(json);
}

void page_functions_release(struct page_functions *functions)
{
	intern_release(&functions->texts);
	intern_release(&functions->keys);
	free(functions->functions);
}
