/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The room base/ holds what knows nothing of profiling: messages, text, numbers, arrays, hash tables, threads. It
 * includes no other room.
 *
 * Messages to the user, on stderr, prefixed "heaptap: ", one line a call; control characters (a hostile process name may
 * hold any) become '?'. errno is kept. Only the rooms trace, record and cli call these; the others return errors.
 */
#include <stdbool.h>

void log_level(int verbosity); /* -1: errors only, 0: notes too, 1: everything */

__attribute__((format(printf, 1, 2))) void log_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_note(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_detail(const char *format, ...);

/* A line that overwrites itself, on a terminal only; log_progress(NULL) ends it. Any other message ends it first. */
__attribute__((format(printf, 1, 2))) void log_progress(const char *format, ...);
