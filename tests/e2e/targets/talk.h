/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How a target gets its commands, one a line, and answers when each is done; without allocating anything. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static int talk_in = STDIN_FILENO, talk_out = STDOUT_FILENO;

/* Through the FIFOs `dir`/in and `dir`/out: neither side waits for the other one to open them. */
static inline void talk_through(const char *dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/in", dir);
	talk_in = open(path, O_RDWR | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/out", dir);
	talk_out = open(path, O_RDWR | O_CLOEXEC);
	if (talk_in < 0 || talk_out < 0)
		_exit(97);
}

/* A line without its end; 0 when there are no more, or it is empty: a FIFO of one's own has no end. */
static inline int talk_hear(char *line, size_t size)
{
	size_t length = 0;

	while (length + 1 < size) {
		if (read(talk_in, line + length, 1) != 1)
			return 0;
		if (line[length] == '\n')
			break;
		length++;
	}
	line[length] = '\0';
	return length > 0;
}

__attribute__((format(printf, 1, 2))) static inline void talk_say(const char *format, ...)
{
	char line[128];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	line[length++] = '\n';
	if (write(talk_out, line, (size_t)length) != length)
		_exit(96);
}
