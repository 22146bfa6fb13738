/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTF8_H
#define UTF8_H
/*
 * Names come from foreign files and processes, and may hold any bytes; protobuf strings and JSON must be UTF-8, and the
 * line formats must stay one line a record.
 */

/* A copy (caller frees) in which every byte that is no part of valid UTF-8 stands as U+FFFD. NULL: no memory. */
char *utf8_clean(const char *text);

/* The same with control characters as '?', and cut at a character's end if it would be longer than UTF8_LINE_MAX bytes.
 */
char *utf8_clean_line(const char *text);

#define UTF8_LINE_MAX 8192 /* `go tool pprof` gives up on text lines over 64 KiB; C++ can make names that long */

#endif
