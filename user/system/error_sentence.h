/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Why something that the user named cannot be had, as a sentence: one table of errors and sentences for each kind. */
#include <stdio.h>
#include <string.h>

/* A format for up to three strings: the name, a detail, and strerror of the error. */
struct error_sentence {
	int err; /* negative errno; 0 in the last row, which stands for all other errors */
	const char *format;
};

/* Allocated; NULL: no memory. */
static inline char *error_sentence(const struct error_sentence *table, int err, const char *name, const char *detail)
{
	char *sentence;

	while (table->err && table->err != err)
		table++;
	return asprintf(&sentence, table->format, name, detail, strerror(-err)) < 0 ? NULL : sentence;
}
