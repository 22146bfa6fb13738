/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/code_label.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define ANONYMOUS_PATH "//anon" /* as in address_map.h */

bool code_label(const struct profile *profile, const struct profile_location *location, char text[CODE_LABEL_SIZE])
{
	const struct profile_mapping *mapping = NULL;
	bool named;

	if (location->mapping < profile->mapping_count)
		mapping = &profile->mappings[location->mapping];
	/* An offset in a mapping without a file differs in every run. */
	named = mapping && mapping->path && *mapping->path && strcmp(mapping->path, ANONYMOUS_PATH) != 0;
	if (named) {
		const char *slash = strrchr(mapping->path, '/');

		snprintf(text, CODE_LABEL_SIZE, "%.400s+0x%" PRIx64, slash ? slash + 1 : mapping->path,
			 location->address - mapping->start + mapping->file_offset);
	} else {
		snprintf(text, CODE_LABEL_SIZE, "0x%" PRIx64, location->address);
	}
	text_printable(text);
	return named;
}

const char *code_label_bracketed(const struct profile *profile, const struct profile_location *location,
				 char name[CODE_LABEL_BRACKETED_SIZE])
{
	char text[CODE_LABEL_SIZE];

	code_label(profile, location, text);
	snprintf(name, CODE_LABEL_BRACKETED_SIZE, "[%s]", text);
	return name;
}

/* The file's name is not compared: in a profile that was written and read its odd bytes are others. */
bool code_label_is_bracketed(const struct profile *profile, const struct profile_location *location, const char *name)
{
	char text[CODE_LABEL_BRACKETED_SIZE];
	size_t length = strlen(name), tail_length;
	const char *tail;

	if (*name != '[')
		return false;
	tail = strrchr(code_label_bracketed(profile, location, text), '+');
	tail = tail ? tail : text;
	tail_length = strlen(tail);
	return length >= tail_length && !strcmp(name + length - tail_length, tail);
}
