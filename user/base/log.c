/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only writer of stderr. Owns the level and the state of the progress line. Each message is one write, so that it
 * stays whole beside what a traced COMMAND prints on the same terminal.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

#define COLUMNS_MAX 256
#define CUT_SIZE    1024 /* what is said of a message where there is no memory for it, which may be what it says */

static int level;
static unsigned int progress_width; /* columns of the progress line on the screen, 0: none */

void log_level(int verbosity)
{
	level = verbosity;
}

static void progress_end(void)
{
	if (progress_width)
		fputc('\n', stderr);
	progress_width = 0;
}

__attribute__((format(printf, 1, 0))) static void say(const char *format, va_list args)
{
	int saved = errno;
	char cut[CUT_SIZE], *text;
	va_list again;

	progress_end();
	va_copy(again, args);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	vsnprintf(cut, sizeof(cut), format, again);
	va_end(again);
	fprintf(stderr, "heaptap: %s\n", text_printable(text ? text : cut));
	free(text);
	errno = saved;
}

#define SAY(at_least)                                                                                                  \
	do {                                                                                                           \
		va_list args;                                                                                          \
		if (level < (at_least))                                                                                \
			return;                                                                                        \
		va_start(args, format);                                                                                \
		say(format, args);                                                                                     \
		va_end(args);                                                                                          \
	} while (0)

void log_error(const char *format, ...)
{
	SAY(-1);
}

void log_note(const char *format, ...)
{
	SAY(0);
}

void log_detail(const char *format, ...)
{
	SAY(1);
}

/* The last column stays free: a terminal that wraps there would scroll, and '\r' would not come back to the start. */
static unsigned int terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 2)
		return 79;
	return size.ws_col > COLUMNS_MAX ? COLUMNS_MAX - 1 : size.ws_col - 1u;
}

void log_progress(const char *format, ...)
{
	int saved = errno, length;
	unsigned int columns;
	char text[COLUMNS_MAX];
	va_list args;

	if (!format) {
		progress_end();
	} else if (level >= 0 && isatty(STDERR_FILENO)) {
		columns = terminal_columns();
		va_start(args, format);
		length = vsnprintf(text, columns + 1, format, args);
		va_end(args);
		text_printable(text);
		if (length > (int)columns)
			length = (int)columns;
		/* Spaces over what is left of a longer line before: no escape codes. */
		fprintf(stderr, "\r%s%*s", text, length < (int)progress_width ? (int)progress_width - length : 0, "");
		if (length > 0)
			progress_width = (unsigned int)length;
	}
	errno = saved;
}
