/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_LOG_H
#define BASE_LOG_H
/*
 * Words for the user, on stderr, prefixed "heaptap: ", one line a call; control characters (a hostile process name may
 * hold any) become '?'. errno is kept. Only main-line code (main, record, report, doctor, tracer, cli) calls these;
 * other modules return errors.
 */
#include <stdbool.h>

void log_level(int verbosity); /* -1: errors only, 0: notes too, 1: everything */

__attribute__((format(printf, 1, 2))) void log_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_note(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_detail(const char *format, ...);

/* A line that overwrites itself, on a terminal only; log_progress(NULL) ends it. Any other message ends it first. */
__attribute__((format(printf, 1, 2))) void log_progress(const char *format, ...);

#endif
