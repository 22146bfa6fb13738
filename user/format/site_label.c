/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/site_label.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define ANONYMOUS_PATH	  "//anon" /* as in address_map.h */
#define PLACE_COLUMNS_MAX 40
#define NAME_SIZE	  SITE_LABEL_CODE_SIZE

/* Characters: bytes that do not continue one. Each is taken to be one column wide. */
static unsigned int columns_of(const char *text)
{
	unsigned int columns = 0;

	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}

/* Cut to so many columns, at least 3, with "..." at the end when anything was cut. */
static void cut(char *text, unsigned int columns)
{
	unsigned int seen = 0;
	char *at = text;

	if (columns_of(text) <= columns)
		return;
	for (; *at; at++) {
		if (((unsigned char)*at & 0xc0) != 0x80 && seen++ == columns - 3)
			break;
	}
	strcpy(at, "...");
}

/* Bytes of an "operator..." token at `name`, whose brackets are no brackets; 0 when there is none. */
static size_t operator_length(const char *name)
{
	static const char *const operators[] = {
		"operator()", "operator<=>", "operator<<=", "operator>>=", "operator->*", "operator<<",
		"operator>>", "operator->",  "operator<=",  "operator>=",  "operator<",	  "operator>"};

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (!strncmp(name, operators[i], strlen(operators[i])))
			return strlen(operators[i]);
	return 0;
}

/*
 * A demangled name without what is in brackets. A name that begins with a bracket is a Rust method of a trait, and
 * stays whole.
 */
static void shorten(const char *name, char brief[NAME_SIZE])
{
	static const char anonymous[] = "(anonymous namespace)";
	bool whole = *name == '<';
	size_t length = 0;
	int depth = 0;

	while (*name && length < NAME_SIZE - sizeof(anonymous)) {
		size_t verbatim = depth ? 0 : operator_length(name);

		if (!depth && !strncmp(name, anonymous, sizeof(anonymous) - 1))
			verbatim = sizeof(anonymous) - 1;
		if (verbatim) {
			memcpy(brief + length, name, verbatim);
			length += verbatim;
			name += verbatim;
			continue;
		}
		if (!whole && (*name == '<' || *name == '('))
			depth++;
		if (!depth)
			brief[length++] = *name;
		if (!whole && (*name == '>' || *name == ')') && depth)
			depth--;
		name++;
	}
	brief[length] = '\0';
	text_printable(brief);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "file:line", "" when unknown. */
static void print_place(const struct profile_line *line, char place[NAME_SIZE])
{
	*place = '\0';
	if (!line->file)
		return;
	if (line->line)
		snprintf(place, NAME_SIZE, "%.400s:%" PRIu32, base_name(line->file), line->line);
	else
		snprintf(place, NAME_SIZE, "%.400s", base_name(line->file));
	text_printable(place);
	cut(place, PLACE_COLUMNS_MAX);
}

bool site_label_code(const struct profile *profile, const struct profile_location *location,
		     char text[SITE_LABEL_CODE_SIZE])
{
	const struct profile_mapping *mapping = NULL;
	bool named;

	if (location->mapping < profile->mapping_count)
		mapping = &profile->mappings[location->mapping];
	/* An offset in a mapping without a file differs in every run. */
	named = mapping && mapping->path && *mapping->path && strcmp(mapping->path, ANONYMOUS_PATH) != 0;
	if (named)
		snprintf(text, SITE_LABEL_CODE_SIZE, "%.400s+0x%" PRIx64, base_name(mapping->path),
			 location->address - mapping->start + mapping->file_offset);
	else
		snprintf(text, SITE_LABEL_CODE_SIZE, "0x%" PRIx64, location->address);
	text_printable(text);
	return named;
}

/* " < caller" if it fits, with room left for " < ..." unless it is the last; else " < ..." and false. */
static bool append_caller(const char *caller, bool is_last, unsigned int columns, char label[SITE_LABEL_SIZE])
{
	unsigned int used = columns_of(label), wanted = columns_of(caller) + 3;
	bool fits = used + wanted + (is_last ? 0 : 6) <= columns;

	if (fits || used + 6 <= columns)
		strcat(strcat(label, " < "), fits ? caller : "...");
	return fits;
}

static bool append_location(const struct profile *profile, const struct profile_location *location, u32 first_line,
			    bool is_root, unsigned int columns, char label[SITE_LABEL_SIZE])
{
	char text[NAME_SIZE];
	bool fits = true;

	if (!location->line_count && !first_line) {
		site_label_code(profile, location, text);
		return append_caller(text, is_root, columns, label);
	}
	for (u32 i = first_line; fits && i < location->line_count; i++) {
		shorten(location->lines[i].function, text);
		fits = append_caller(text, is_root && i + 1 == location->line_count, columns, label);
	}
	return fits;
}

static void print_leaf(const struct profile *profile, const struct profile_location *leaf, unsigned int columns,
		       char label[SITE_LABEL_SIZE])
{
	char name[NAME_SIZE], place[NAME_SIZE] = "";
	unsigned int place_columns;

	if (leaf->line_count) {
		shorten(leaf->lines[0].function, name);
		print_place(&leaf->lines[0], place);
	} else {
		site_label_code(profile, leaf, name);
	}
	place_columns = columns_of(place);
	cut(name, columns - (place_columns ? place_columns + 2 : 0));
	strcat(strcat(strcpy(label, name), place_columns ? "  " : ""), place);
}

const char *site_label(const struct profile *profile, const struct profile_site *site, unsigned int columns,
		       char label[SITE_LABEL_SIZE])
{
	const struct profile_sample *example = site->example;
	u32 depth = example ? example->depth : 0;
	bool fits;

	if (!site->leaf)
		return strcpy(label, "(stack unknown)");
	if (columns > SITE_LABEL_COLUMNS_MAX)
		columns = SITE_LABEL_COLUMNS_MAX;
	print_leaf(profile, site->leaf, columns, label);
	fits = append_location(profile, site->leaf, 1, depth <= 1, columns, label);
	for (u32 i = 1; fits && i < depth; i++)
		fits = append_location(profile, &profile->locations[example->location[i]], 0, i + 1 == depth, columns,
				       label);
	return label;
}

const char *site_label_container(const struct profile *profile, char buffer[SITE_LABEL_ID_COLUMNS + 1])
{
	if (profile->container_name || !profile->container)
		return profile->container_name;
	snprintf(buffer, SITE_LABEL_ID_COLUMNS + 1, "%s", profile->container);
	return buffer;
}
