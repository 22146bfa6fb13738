/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/site_label.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "view/code_label.h"

#define PLACE_COLUMNS_MAX    40
#define FUNCTION_COLUMNS_MIN 12 /* left beside a place, or it is left out */
#define NAME_SIZE	     CODE_LABEL_SIZE

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

/* Where the file begins in "py::NAME:FILE", as python3 -X perf names a function; NULL: it is another language's. */
static const char *python_file(const char *name)
{
	const char *colon = strncmp(name, "py::", 4) ? "" : name + 4 + strcspn(name + 4, ":[(");

	return colon[0] == ':' && colon[1] != ':' ? colon + 1 : NULL;
}

const char *site_label_function(const char *name, char brief[CODE_LABEL_SIZE])
{
	static const char anonymous[] = "(anonymous namespace)";
	const char *file = python_file(name);
	bool whole = *name == '<';
	size_t length = 0;
	int depth = 0;

	if (file) {
		snprintf(brief, NAME_SIZE, "%.*s%s", (int)(file - name), name, text_base_name(file));
		return text_printable(brief);
	}
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
	return text_printable(brief);
}

/* "file:line", "" when unknown. */
static void print_place(const struct profile_line *line, char place[NAME_SIZE])
{
	*place = '\0';
	if (!line->file)
		return;
	if (line->line)
		snprintf(place, NAME_SIZE, "%.400s:%" PRIu32, text_base_name(line->file), line->line);
	else
		snprintf(place, NAME_SIZE, "%.400s", text_base_name(line->file));
	text_printable(place);
	text_cut(place, PLACE_COLUMNS_MAX);
}

/* " < caller" if it fits, with room left for " < ..." unless it is the last; else " < ..." and false. */
static bool append_caller(const char *caller, bool is_last, unsigned int columns, char label[SITE_LABEL_SIZE])
{
	unsigned int used = text_columns(label), wanted = text_columns(caller) + 3;
	bool fits = used + wanted + (is_last ? 0 : 6) <= columns;

	if (fits || used + 6 <= columns)
		strcat(strcat(label, " < "), fits ? caller : "...");
	return fits;
}

/* What a location has from `line` on; whether all of it did fit. */
static bool append_lines(const struct profile *profile, const struct profile_location *location, u32 line, bool is_root,
			 unsigned int columns, char label[SITE_LABEL_SIZE])
{
	char text[NAME_SIZE];
	bool fits = true;

	if (!location->line_count && !line) {
		code_label(profile, location, text);
		return append_caller(text, is_root, columns, label);
	}
	for (u32 i = line; fits && i < location->line_count; i++) {
		site_label_function(location->lines[i].function, text);
		fits = append_caller(text, is_root && i + 1 == location->line_count, columns, label);
	}
	return fits;
}

static void print_place_of(const struct profile *profile, const struct profile_site *site, unsigned int columns,
			   char label[SITE_LABEL_SIZE])
{
	const struct profile_line *line = profile_site_line(site);
	char name[NAME_SIZE], place[NAME_SIZE] = "";
	unsigned int place_columns;

	if (line) {
		site_label_function(line->function, name);
		print_place(line, place);
	} else {
		code_label(profile, site->location, name);
	}
	place_columns = text_columns(place);
	if (text_columns(name) + 2 + place_columns > columns && place_columns + 2 + FUNCTION_COLUMNS_MIN > columns)
		place_columns = 0;
	text_cut(name, columns - (place_columns ? place_columns + 2 : 0));
	strcat(strcpy(label, name), place_columns ? "  " : "");
	if (place_columns)
		strcat(label, place);
}

const char *site_label(const struct profile *profile, const struct profile_site *site, unsigned int columns,
		       char label[SITE_LABEL_SIZE])
{
	const struct profile_sample *example = site->example;
	u32 depth = example ? example->depth : 0;
	bool fits;

	if (!site->location)
		return strcpy(label, "(stack unknown)");
	if (columns > SITE_LABEL_COLUMNS_MAX)
		columns = SITE_LABEL_COLUMNS_MAX;
	print_place_of(profile, site, columns, label);
	fits = append_lines(profile, site->location, site->line + 1, site->frame + 1 >= depth, columns, label);
	for (u32 i = site->frame + 1; fits && i < depth; i++)
		fits = append_lines(profile, &profile->locations[example->location[i]], 0, i + 1 == depth, columns,
				    label);
	return label;
}

/* `line` NULL: code without a name. */
static void print_frame(const struct profile *profile, const struct profile_location *location,
			const struct profile_line *line, bool is_site, FILE *out)
{
	char code[NAME_SIZE];

	fputs(is_site ? "    > " : "      ", out);
	if (line) {
		text_print_line(line->function, out);
	} else {
		code_label(profile, location, code);
		fputs(code, out);
	}
	if (line && line->file) {
		fputs("  ", out);
		text_print_line(line->file, out);
	}
	if (line && line->file && line->line)
		fprintf(out, ":%" PRIu32, line->line);
	fputc('\n', out);
}

void site_label_stack(const struct profile *profile, const struct profile_site *site, FILE *out)
{
	for (u32 i = 0; site->example && i < site->example->depth; i++) {
		const struct profile_location *location = &profile->locations[site->example->location[i]];

		for (u32 j = 0; !j || j < location->line_count; j++)
			print_frame(profile, location, location->line_count ? &location->lines[j] : NULL,
				    i == site->frame && j == site->line, out);
	}
}

const char *site_label_container(const struct profile *profile, char buffer[SITE_LABEL_ID_COLUMNS + 1])
{
	if (profile->container_name || !profile->container)
		return profile->container_name;
	snprintf(buffer, SITE_LABEL_ID_COLUMNS + 1, "%s", profile->container);
	return buffer;
}
