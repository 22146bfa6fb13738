/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pprof message under construction: owns the arena that it lives in, its string table and its function table. Called
 * by pprof_write.c.
 */
#include "format/pprof_builder.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Without memory an element stays outside, which its table pointer tells, instead of uthash leaving the program. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/text.h"

struct block {
	struct block *next;
	max_align_t memory[];
};

struct string {
	UT_hash_handle hh;
	char *text;
	s64 index;
};

struct function_key {
	s64 name, system_name, file, start_line;
};

struct function {
	UT_hash_handle hh;
	struct function_key key;
	Pprof__Function message;
};

void *pprof_builder_take(struct pprof_builder *builder, size_t count, size_t size)
{
	struct block *block = NULL;
	size_t bytes;

	if (!__builtin_mul_overflow(count, size, &bytes) && !__builtin_add_overflow(bytes, sizeof(*block), &bytes))
		block = calloc(1, bytes);
	if (!block) {
		builder->failed = true;
		return NULL;
	}
	block->next = builder->blocks;
	builder->blocks = block;
	return block->memory;
}

s64 pprof_builder_string(struct pprof_builder *builder, const char *text)
{
	char *clean = text_clean(text ? text : "");
	struct string *string = NULL;

	if (!clean) {
		builder->failed = true;
		return 0;
	}
	HASH_FIND_STR(builder->strings, clean, string);
	if (string) {
		free(clean);
		return string->index;
	}
	string = pprof_builder_take(builder, 1, sizeof(*string));
	if (!string) {
		free(clean);
		return 0;
	}
	string->text = clean;
	string->index = (s64)HASH_COUNT(builder->strings);
	HASH_ADD_KEYPTR(hh, builder->strings, clean, strlen(clean), string);
	if (!string->hh.tbl) {
		free(clean);
		builder->failed = true;
	}
	return string->index;
}

u64 pprof_builder_function(struct pprof_builder *builder, const struct profile_line *line)
{
	struct function_key key = {
		.name = pprof_builder_string(builder, line->function),
		.system_name = pprof_builder_string(builder, line->system_name),
		.file = pprof_builder_string(builder, line->file),
		.start_line = line->start_line,
	};
	struct function *function = NULL;

	HASH_FIND(hh, builder->functions, &key, sizeof(key), function);
	if (function)
		return function->message.id;
	function = pprof_builder_take(builder, 1, sizeof(*function));
	if (!function)
		return 0;
	function->key = key;
	pprof__function__init(&function->message);
	function->message.id = HASH_COUNT(builder->functions) + 1;
	function->message.name = key.name;
	function->message.system_name = key.system_name;
	function->message.filename = key.file;
	function->message.start_line = key.start_line;
	HASH_ADD(hh, builder->functions, key, sizeof(function->key), function);
	if (!function->hh.tbl)
		builder->failed = true;
	return function->message.id;
}

static void list_strings(struct pprof_builder *builder)
{
	Pprof__Profile *message = builder->message;
	struct string *string;
	size_t count = HASH_COUNT(builder->strings);

	message->string_table = pprof_builder_take(builder, count + 1, sizeof(*message->string_table));
	if (!message->string_table)
		return;
	for (string = builder->strings; string; string = string->hh.next)
		message->string_table[message->n_string_table++] = string->text;
}

static void list_functions(struct pprof_builder *builder)
{
	Pprof__Profile *message = builder->message;
	struct function *function;

	message->function =
		pprof_builder_take(builder, HASH_COUNT(builder->functions) + 1UL, sizeof(*message->function));
	if (!message->function)
		return;
	for (function = builder->functions; function; function = function->hh.next)
		message->function[message->n_function++] = &function->message;
}

int pprof_builder_finish(struct pprof_builder *builder)
{
	list_functions(builder);
	list_strings(builder);
	return builder->failed ? -ENOMEM : 0;
}

void pprof_builder_release(struct pprof_builder *builder)
{
	struct string *string, *next_string;

	HASH_CLEAR(hh, builder->functions);
	HASH_ITER (hh, builder->strings, string, next_string) {
		HASH_DELETE(hh, builder->strings, string);
		free(string->text);
	}
	while (builder->blocks) {
		struct block *block = builder->blocks;

		builder->blocks = block->next;
		free(block);
	}
}
