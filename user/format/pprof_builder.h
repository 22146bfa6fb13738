/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FORMAT_PPROF_BUILDER_H
#define FORMAT_PPROF_BUILDER_H
/*
 * What a pprof message is built with: memory that is released with it, and its tables of strings and functions, where
 * what is equal stands once. Errors are sticky: after `failed` every step is harmless, and the end reports it.
 */
#include "pprof.pb-c.h"
#include "profile/profile.h"

struct block;
struct string;
struct function;

/* Begins with profile and message set, all else zero. */
struct pprof_builder {
	const struct profile *profile;
	Pprof__Profile *message;
	struct block *blocks;
	struct string *strings;
	struct function *functions;
	bool failed;
};

/* Zeroed memory for `count` things of `size` bytes, as long as the builder; NULL: failed. */
void *pprof_builder_take(struct pprof_builder *builder, size_t count, size_t size);

/* The index of `text`, made valid UTF-8, in the string table; NULL is the empty string, which must come first of all. */
s64 pprof_builder_string(struct pprof_builder *builder, const char *text);

/* The id of the function that a line stands in; it begins at 1. */
u64 pprof_builder_function(struct pprof_builder *builder, const struct profile_line *line);

/* Put the tables into the message, which is complete then. 0 or -ENOMEM, also of any step before. */
int pprof_builder_finish(struct pprof_builder *builder);

void pprof_builder_release(struct pprof_builder *builder);

#endif
