/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Builds the message of a .pb.gz in parts: the memory of one part, and the tables of strings and functions, which all parts
 * refer to and which are written last.
 */
#include "base/gzip.h"
#include "base/intern.h"
#include "format/wire.h"
#include "pprof.pb-c.h"
#include "profile/profile.h"

/*
 * The part under construction, its memory, and the tables of strings and functions without duplicates. After `failed` (no
 * memory) every step is harmless: a list that was not allocated is empty, and nothing more is written.
 */
struct pprof_builder {
	const struct profile *profile;
	struct gzip *gzip;
	Pprof__Profile part;
	struct block *blocks;
	struct intern strings;	 /* with their NUL */
	struct intern functions; /* struct function_key */
	bool failed;
};

/* Zeroed memory for `count` items of `size` bytes, valid as long as the part; NULL: failed. */
void *pprof_builder_take(struct pprof_builder *builder, size_t count, size_t size);

/* `count` initialized messages as a repeated field wants them: pointers, and their number. NULL and 0: failed. */
void *pprof_builder_messages(struct pprof_builder *builder, const ProtobufCMessageDescriptor *kind, size_t count,
			     size_t *ret_count);

/* How many of the four measures the profile has: without free probes in-use is unknown, and zeros would claim to know it. */
unsigned int pprof_builder_measures(const struct pprof_builder *builder);

/* What is measured, from `first` up to but not `end`, and at which interval; to be written with the part. */
void pprof_builder_types(struct pprof_builder *builder, unsigned int first, unsigned int end);

s64 pprof_builder_clamp(u64 value); /* to what the format has room for */

/* The index of `text`, made valid UTF-8, in the string table; NULL is the empty string, which must come first of all. */
s64 pprof_builder_string(struct pprof_builder *builder, const char *text);

/* The id, from 1 on, of the line's function. */
u64 pprof_builder_function(struct pprof_builder *builder, const struct profile_line *line);

/* Write the part, and begin the next. */
void pprof_builder_write(struct pprof_builder *builder);

/* Write what is in `wire`, fields of a profile's message, and empty it. Nothing of the part must be pending. */
void pprof_builder_write_wire(struct pprof_builder *builder, struct wire *wire);

/* Parts of their own for the tables, when all that refers to them is written. Releases them. */
void pprof_builder_write_tables(struct pprof_builder *builder);
