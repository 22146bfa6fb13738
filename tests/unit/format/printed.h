/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What code under test prints into a stream, captured in memory. Include cmocka before. */
#include <stdio.h>

struct printed {
	FILE *out;
	char *text;
	size_t size;
};

static inline FILE *printed_open(struct printed *printed)
{
	printed->out = open_memstream(&printed->text, &printed->size);
	assert_non_null(printed->out);
	return printed->out;
}

/* The text, for the caller to free. */
static inline char *printed_close(struct printed *printed)
{
	assert_int_equal(fclose(printed->out), 0);
	return printed->text;
}
