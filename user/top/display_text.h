/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Text in the columns of a terminal, as wcwidth(3) counts them: a wide character takes two, a combining one none. */
#include <stddef.h>

enum display_charset {
	DISPLAY_ASCII,
	DISPLAY_UTF8,
};

/* Columns of text that display_clean has made. */
unsigned int display_columns(const char *text);

/*
 * A copy that a terminal cannot obey: '?' for control characters, for bytes that are not valid UTF-8, for characters without a
 * width and for those that turn the direction of writing. In ASCII also for what lies beyond it, but "±" is "+-". Cut to the
 * buffer between characters.
 */
void display_clean(const char *text, enum display_charset charset, char *buffer, size_t size);

/* Cut clean text in place to so many columns, with "..." at the end when anything was cut and three columns are there. */
void display_cut(char *text, unsigned int columns);
