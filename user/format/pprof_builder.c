/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/pprof_builder.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct block {
	struct block *next;
	max_align_t memory[];
};

struct function_key {
	s64 name, system_name, file, start_line, wrapper;
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

void *pprof_builder_messages(struct pprof_builder *builder, const ProtobufCMessageDescriptor *kind, size_t count,
			     size_t *ret_count)
{
	char *messages = pprof_builder_take(builder, count, kind->sizeof_message);
	void **list = pprof_builder_take(builder, count, sizeof(*list));

	*ret_count = 0;
	if (!messages || !list)
		return NULL;
	for (; *ret_count < count; ++*ret_count, messages += kind->sizeof_message) {
		protobuf_c_message_init(kind, messages);
		list[*ret_count] = messages;
	}
	return list;
}

unsigned int pprof_builder_measures(const struct pprof_builder *builder)
{
	return builder->profile->alloc_only ? INUSE_OBJECTS : MEASURE_MAX;
}

s64 pprof_builder_clamp(u64 value)
{
	return value > INT64_MAX ? INT64_MAX : (s64)value;
}

static u32 intern(struct pprof_builder *builder, struct intern *table, const void *bytes, size_t size)
{
	const struct interned *entry;

	if (size <= UINT32_MAX && intern_add(table, bytes, size, &entry) >= 0)
		return entry->index;
	builder->failed = true;
	return 0;
}

s64 pprof_builder_string(struct pprof_builder *builder, const char *text)
{
	char *clean = text_clean(text ? text : "");
	s64 index = 0;

	if (clean)
		index = intern(builder, &builder->strings, clean, strlen(clean) + 1);
	else
		builder->failed = true;
	free(clean);
	return index;
}

u64 pprof_builder_function(struct pprof_builder *builder, const struct profile_line *line)
{
	struct function_key key = {
		.name = pprof_builder_string(builder, line->function),
		.system_name = pprof_builder_string(builder, line->system_name),
		.file = pprof_builder_string(builder, line->file),
		.start_line = line->start_line,
		.wrapper = line->role == FRAME_WRAPPER,
	};

	return intern(builder, &builder->functions, &key, sizeof(key)) + 1UL;
}

static void set_type(struct pprof_builder *builder, Pprof__ValueType *message, const char *type, const char *unit)
{
	message->type = pprof_builder_string(builder, type);
	message->unit = pprof_builder_string(builder, unit);
}

void pprof_builder_types(struct pprof_builder *builder, unsigned int first, unsigned int end)
{
	Pprof__Profile *message = &builder->part;
	Pprof__ValueType **period;
	size_t periods;

	message->sample_type =
		pprof_builder_messages(builder, &pprof__value_type__descriptor, end - first, &message->n_sample_type);
	for (size_t i = 0; i < message->n_sample_type; i++)
		set_type(builder, message->sample_type[i], profile_names(builder->profile)[first + i],
			 measure_is_space(first + i) ? "bytes" : "count");
	period = pprof_builder_messages(builder, &pprof__value_type__descriptor, 1, &periods);
	if (periods)
		set_type(builder, message->period_type = *period, "space", "bytes");
	message->period = pprof_builder_clamp(builder->profile->sample_bytes);
}

void pprof_builder_write(struct pprof_builder *builder)
{
	if (!builder->failed)
		pprof__profile__pack_to_buffer(&builder->part, &builder->gzip->base);
	pprof__profile__init(&builder->part);
	while (builder->blocks) {
		struct block *block = builder->blocks;

		builder->blocks = block->next;
		free(block);
	}
}

void pprof_builder_write_wire(struct pprof_builder *builder, struct wire *wire)
{
	builder->failed |= wire->failed;
	if (!builder->failed)
		builder->gzip->base.append(&builder->gzip->base, wire->size, wire->bytes);
	wire->size = 0;
}

static void write_functions(struct pprof_builder *builder)
{
	for (const struct interned *entry = builder->functions.entries; entry; entry = entry->hh.next) {
		const struct function_key *key = (const void *)entry->bytes;
		Pprof__Function function = PPROF__FUNCTION__INIT, *list = &function;

		function.id = entry->index + 1UL;
		function.name = key->name;
		function.system_name = key->system_name;
		function.filename = key->file;
		function.start_line = key->start_line;
		function.heaptap_wrapper = key->wrapper;
		builder->part.function = &list;
		builder->part.n_function = 1;
		pprof_builder_write(builder);
	}
}

static void write_strings(struct pprof_builder *builder)
{
	for (const struct interned *entry = builder->strings.entries; entry; entry = entry->hh.next) {
		char *string = (char *)entry->bytes;

		builder->part.string_table = &string;
		builder->part.n_string_table = 1;
		pprof_builder_write(builder);
	}
}

void pprof_builder_write_tables(struct pprof_builder *builder)
{
	write_functions(builder);
	write_strings(builder);
	intern_release(&builder->strings);
	intern_release(&builder->functions);
}
