/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The bytes that libFuzzer gives, as what the code under test reads. A fuzzer that cannot have that ends. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "include/types.h"

/* A file in memory that has them; its descriptor. */
static inline int input_file(const void *data, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	return fd;
}

/* A text that ends behind them; the caller frees it. */
static inline char *input_text(const void *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* The line behind the one that begins there; NULL: it was the last one. */
static inline const char *input_next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : NULL;
}
