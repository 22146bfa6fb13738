/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Names come from foreign files and processes, and may hold any bytes; protobuf strings and JSON must be UTF-8, and the
 * line formats must stay one line a record.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#define TEXT_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD, in place of a byte that is not part of valid UTF-8 */

/* Length of the valid UTF-8 character at `at`, 0 when there is none. Reads nothing past a NUL. */
size_t text_character_length(const char *at);

/*
 * Is the character at `at` one that a terminal may obey: of C0, DEL, or of C1 (U+0080 to U+009F, two bytes in UTF-8)?
 * Every writer asks here. A byte 0x80 to 0x9f alone is no valid UTF-8.
 */
bool text_is_control(const char *at);

/*
 * A copy (caller frees) in which each byte that is not part of valid UTF-8 is replaced, and each control character is '?'. NULL:
 * no memory.
 */
char *text_clean(const char *text);

/* In place, '?' for control characters and for bytes that are not valid UTF-8. Returns `text`. */
char *text_printable(char *text);

/* Such a copy of text that other programs chose, in static storage: valid until the next call. */
const char *text_plain(const char *text);

/*
 * Print it as one line: cleaned as above, with control characters as '?', and cut between characters after
 * TEXT_LINE_MAX bytes. Returns the number of bytes. `out` NULL: only count them.
 */
size_t text_print_line(const char *text, FILE *out);

#define TEXT_LINE_MAX 8192 /* `go tool pprof` gives up on text lines over 64 KiB; C++ can make names that long */

/* Characters of UTF-8, each of which is taken to be one column wide. */
unsigned int text_columns(const char *text);

/* Cut in place to so many columns, at least 3, with "..." at the end when anything was cut. */
void text_cut(char *text, unsigned int columns);

/* *ret_copy is the caller's; NULL stays NULL. 0 or -ENOMEM. */
int text_copy(const char *text, char **ret_copy);

const char *text_base_name(const char *path); /* what is behind its last slash */

/* Print into `path` and return it. A path that is too long becomes "", which no file has. */
const char *text_path(char path[PATH_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));
