/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <stdarg.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/types.h"

static bool continues(u8 byte)
{
	return (byte & 0xc0) == 0x80;
}

/*
 * The bounds on the second byte exclude overlong forms, surrogates and what lies beyond U+10FFFF; the terminating NUL
 * is no continuation, so nothing past it is read.
 */
size_t text_character_length(const char *at)
{
	const u8 *byte = (const u8 *)at;
	u8 first = byte[0], low = 0x80, high = 0xbf;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	if (first == 0xe0)
		low = 0xa0;
	if (first == 0xed)
		high = 0x9f;
	if (first == 0xf0)
		low = 0x90;
	if (first == 0xf4)
		high = 0x8f;
	if (byte[1] < low || byte[1] > high)
		return 0;
	if (first < 0xe0)
		return 2;
	if (!continues(byte[2]))
		return 0;
	if (first < 0xf0)
		return 3;
	return continues(byte[3]) ? 4 : 0;
}

bool text_is_control(const char *at)
{
	const u8 *byte = (const u8 *)at;

	return byte[0] < ' ' || byte[0] == 0x7f || (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0);
}

/* What stands for the valid character of that length at `text`, or (0) for its byte; *ret_size: in bytes. */
static const char *shown(const char *text, size_t length, size_t *ret_size)
{
	const char *shown = !length ? TEXT_REPLACEMENT : text_is_control(text) ? "?" : text;

	*ret_size = shown == text ? length : strlen(shown);
	return shown;
}

char *text_clean(const char *text)
{
	char *clean = calloc(strlen(text) + 1, sizeof(TEXT_REPLACEMENT) - 1);
	char *out = clean;

	if (!clean)
		return NULL;
	while (*text) {
		size_t length = text_character_length(text), size;
		const char *instead = shown(text, length, &size);

		out = mempcpy(out, instead, size);
		text += length ? length : 1;
	}
	*out = '\0';
	return clean;
}

char *text_printable(char *text)
{
	for (char *at = text; *at;) {
		size_t length = text_character_length(at);

		if (!length || text_is_control(at)) {
			length = length ? length : 1;
			memset(at, '?', length);
		}
		at += length;
	}
	return text;
}

size_t text_print_line(const char *text, FILE *out)
{
	size_t printed = 0;

	while (*text) {
		size_t length = text_character_length(text), size;
		const char *instead = shown(text, length, &size);

		if (printed + size > TEXT_LINE_MAX)
			break;
		if (out)
			fwrite(instead, 1, size, out);
		printed += size;
		text += length ? length : 1;
	}
	return printed;
}

int text_copy(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -ENOMEM : 0;
}

const char *text_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *text_path(char path[PATH_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(path, PATH_MAX, format, args) >= PATH_MAX)
		path[0] = '\0';
	va_end(args);
	return path;
}

const char *text_plain(const char *text)
{
	static char copy[4096];

	snprintf(copy, sizeof(copy), "%s", text);
	return text_printable(copy);
}

/* Bytes that do not continue a character. */
unsigned int text_columns(const char *text)
{
	unsigned int columns = 0;

	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}

void text_cut(char *text, unsigned int columns)
{
	unsigned int seen = 0;
	char *at = text;

	if (text_columns(text) <= columns)
		return;
	for (; *at; at++) {
		if (((unsigned char)*at & 0xc0) != 0x80 && seen++ == columns - 3)
			break;
	}
	strcpy(at, "...");
}
