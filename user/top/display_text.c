/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/display_text.h"

#include <locale.h>
#include <pthread.h>
#include <string.h>
#include <wchar.h>

#include "base/text.h"
#include "include/types.h"

#define ELLIPSIS "..."

/* wcwidth() knows what the locale's charset has; this one has everything. */
static locale_t every_character;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void open_locale(void)
{
	every_character = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
}

/* A valid character of `length` bytes. */
static wchar_t decode(const char *at, size_t length)
{
	static const u8 masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	wchar_t character = (u8)*at & masks[length];

	for (size_t i = 1; i < length; i++)
		character = character << 6 | ((u8)at[i] & 0x3f);
	return character;
}

/* -1: not to be shown. */
static int width_of(wchar_t character)
{
	locale_t before;
	int width;

	pthread_once(&once, open_locale);
	if (character < 0x80 || !every_character)
		return character < ' ' || character == 0x7f ? -1 : 1;
	before = uselocale(every_character);
	width = wcwidth(character);
	uselocale(before);
	return width;
}

/* Bidirectional embeddings, overrides and isolates; line and paragraph separators. */
static bool turns_direction(wchar_t character)
{
	return (character >= 0x200e && character <= 0x200f) || (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2066 && character <= 0x2069) || character == 0x061c;
}

unsigned int display_columns(const char *text)
{
	unsigned int columns = 0;

	while (*text) {
		size_t length = text_character_length(text);
		int width = length ? width_of(decode(text, length)) : 1;

		columns += width > 0 ? (unsigned int)width : 0;
		text += length ? length : 1;
	}
	return columns;
}

/* What stands for the character at `text`, and its bytes. */
static const char *shown(const char *text, size_t length, enum display_charset charset, size_t *ret_size)
{
	wchar_t character = length ? decode(text, length) : 0;

	*ret_size = length;
	if (length == 1 && !text_is_control(text))
		return text;
	if (charset == DISPLAY_ASCII && character == 0xb1) {
		*ret_size = 2;
		return "+-";
	}
	if (length > 1 && charset == DISPLAY_UTF8 && width_of(character) >= 0 && !turns_direction(character))
		return text;
	*ret_size = 1;
	return "?";
}

void display_clean(const char *text, enum display_charset charset, char *buffer, size_t size)
{
	size_t used = 0;

	while (*text) {
		size_t length = text_character_length(text), bytes;
		const char *instead = shown(text, length, charset, &bytes);

		if (used + bytes >= size)
			break;
		memcpy(buffer + used, instead, bytes);
		used += bytes;
		text += length ? length : 1;
	}
	buffer[used] = '\0';
}

void display_cut(char *text, unsigned int columns)
{
	unsigned int dots = columns >= strlen(ELLIPSIS) ? (unsigned int)strlen(ELLIPSIS) : 0, used = 0;
	char *at = text, *end = text;

	for (; *at; at += text_character_length(at)) {
		int width = width_of(decode(at, text_character_length(at)));

		used += width > 0 ? (unsigned int)width : 0;
		if (used > columns)
			break;
		if (used + dots <= columns)
			end = at + text_character_length(at);
	}
	if (*at)
		memcpy(end, ELLIPSIS, dots), end[dots] = '\0';
}
