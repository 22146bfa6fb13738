/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What code under test writes to stdout or stderr, captured in memory. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

struct capture {
	FILE *stream;
	int saved, memory;
	char text[16384];
};

static inline void capture_begin(struct capture *capture, FILE *stream)
{
	capture->stream = stream;
	fflush(stream);
	capture->saved = dup(fileno(stream));
	capture->memory = memfd_create("capture", MFD_CLOEXEC);
	assert_true(capture->saved >= 0 && capture->memory >= 0);
	assert_true(dup2(capture->memory, fileno(stream)) >= 0);
}

/* The text lives as long as the capture. */
static inline const char *capture_end(struct capture *capture)
{
	ssize_t length;

	fflush(capture->stream);
	dup2(capture->saved, fileno(capture->stream));
	close(capture->saved);
	length = pread(capture->memory, capture->text, sizeof(capture->text) - 1, 0);
	close(capture->memory);
	assert_true(length >= 0);
	capture->text[length] = '\0';
	return capture->text;
}
