/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The message is written in parts, each a message with some of its fields: protobuf readers add up what follows one another.
 * So memory has one sample of it at a time, and no copy of the profile.
 */
#include "format/pprof_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/gzip.h"
#include "base/intern.h"
#include "base/stream.h"
#include "base/text.h"
#include "format/pprof_lifetime.h"
#include "pprof.pb-c.h"
#include "profile/ledger.h"

/* --- memory and tables --- */

struct block {
	struct block *next;
	max_align_t memory[];
};

struct function_key {
	s64 name, system_name, file, start_line;
};

/*
 * The part under construction, its memory, and the tables of strings and functions without duplicates. After `failed` (no
 * memory) every step is harmless: a list that was not allocated is empty, and nothing more is written.
 */
struct builder {
	const struct profile *profile;
	struct gzip *gzip;
	Pprof__Profile part;
	struct block *blocks;
	struct lifetime lifetime; /* of the sample in it */
	struct intern strings;	  /* with their NUL */
	struct intern functions;  /* struct function_key */
	bool failed;
};

/* Zeroed memory for `count` items of `size` bytes, valid as long as the part; NULL: failed. */
static void *take(struct builder *builder, size_t count, size_t size)
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

/* `count` initialized messages as a repeated field wants them: pointers, and their number. NULL and 0: failed. */
static void *take_messages(struct builder *builder, const ProtobufCMessageDescriptor *kind, size_t count,
			   size_t *ret_count)
{
	char *messages = take(builder, count, kind->sizeof_message);
	void **list = take(builder, count, sizeof(*list));

	*ret_count = 0;
	if (!messages || !list)
		return NULL;
	for (; *ret_count < count; ++*ret_count, messages += kind->sizeof_message) {
		protobuf_c_message_init(kind, messages);
		list[*ret_count] = messages;
	}
	return list;
}

static u32 intern(struct builder *builder, struct intern *table, const void *bytes, size_t size)
{
	const struct interned *entry;

	if (size <= UINT32_MAX && intern_add(table, bytes, size, &entry) >= 0)
		return entry->index;
	builder->failed = true;
	return 0;
}

/* The index of `text`, made valid UTF-8, in the string table; NULL is the empty string, which must come first of all. */
static s64 add_string(struct builder *builder, const char *text)
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

/* The id, from 1 on, of the line's function. */
static u64 add_function(struct builder *builder, const struct profile_line *line)
{
	struct function_key key = {
		.name = add_string(builder, line->function),
		.system_name = add_string(builder, line->system_name),
		.file = add_string(builder, line->file),
		.start_line = line->start_line,
	};

	return intern(builder, &builder->functions, &key, sizeof(key)) + 1UL;
}

/* Write the part, and begin the next. */
static void write_part(struct builder *builder)
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

static void write_functions(struct builder *builder)
{
	for (const struct interned *entry = builder->functions.entries; entry; entry = entry->hh.next) {
		const struct function_key *key = (const void *)entry->bytes;
		Pprof__Function function = PPROF__FUNCTION__INIT, *list = &function;

		function.id = entry->index + 1UL;
		function.name = key->name;
		function.system_name = key->system_name;
		function.filename = key->file;
		function.start_line = key->start_line;
		builder->part.function = &list;
		builder->part.n_function = 1;
		write_part(builder);
	}
}

static void write_strings(struct builder *builder)
{
	for (const struct interned *entry = builder->strings.entries; entry; entry = entry->hh.next) {
		char *string = (char *)entry->bytes;

		builder->part.string_table = &string;
		builder->part.n_string_table = 1;
		write_part(builder);
	}
}

static s64 clamp(u64 value)
{
	return value > INT64_MAX ? INT64_MAX : (s64)value;
}

/* --- what is measured --- */

static void set_type(struct builder *builder, Pprof__ValueType *message, const char *type, const char *unit)
{
	message->type = add_string(builder, type);
	message->unit = add_string(builder, unit);
}

/* Without free probes in-use is unknown, and a column of zeros would claim to know it. */
static unsigned int measure_count(const struct profile *profile)
{
	return profile->alloc_only ? INUSE_OBJECTS : MEASURE_MAX;
}

static void add_types(struct builder *builder)
{
	Pprof__Profile *message = &builder->part;
	Pprof__ValueType **period;
	size_t periods;

	message->sample_type = take_messages(builder, &pprof__value_type__descriptor, measure_count(builder->profile),
					     &message->n_sample_type);
	for (size_t m = 0; m < message->n_sample_type; m++)
		set_type(builder, message->sample_type[m], profile_measure_names[m],
			 measure_is_space(m) ? "bytes" : "count");
	period = take_messages(builder, &pprof__value_type__descriptor, 1, &periods);
	if (periods)
		set_type(builder, message->period_type = *period, "space", "bytes");
	message->period = clamp(builder->profile->sample_bytes);
	message->time_nanos = clamp(builder->profile->start_unix_ns);
	message->duration_nanos = clamp(builder->profile->duration_ns);
}

/* Losses only: pprof shows comments above every report. */
static void add_comments(struct builder *builder)
{
	Pprof__Profile *message = &builder->part;

	message->comment = take(builder, COUNTER_MAX, sizeof(*message->comment));
	for (unsigned int i = 0; message->comment && i < COUNTER_MAX; i++) {
		char text[96];

		if (!builder->profile->ledger[i] || !ledger_is_loss(i))
			continue;
		snprintf(text, sizeof(text), "heaptap: %s=%" PRIu64, ledger_name(i), builder->profile->ledger[i]);
		message->comment[message->n_comment++] = add_string(builder, text);
	}
}

/* --- where --- */

static void fill_mapping(struct builder *builder, const struct profile_mapping *mapping, Pprof__Mapping *message)
{
	char build_id[PROFILE_BUILD_ID_SIZE];

	message->memory_start = mapping->start;
	message->memory_limit = mapping->end;
	message->file_offset = mapping->file_offset;
	message->filename = add_string(builder, mapping->path);
	message->build_id = add_string(builder, profile_build_id(mapping, build_id));
	message->has_functions = mapping->has_functions;
	message->has_filenames = mapping->has_filenames;
	message->has_line_numbers = mapping->has_line_numbers;
	message->has_inline_frames = mapping->has_inline_frames;
}

/* Readers take the first mapping for the main program. */
static u32 main_mapping(const struct profile *profile)
{
	for (u32 i = 0; profile->exe && i < profile->mapping_count; i++)
		if (profile->mappings[i].path && !strcmp(profile->mappings[i].path, profile->exe))
			return i;
	return 0;
}

static void write_mapping(struct builder *builder, u32 index)
{
	Pprof__Mapping message = PPROF__MAPPING__INIT, *list = &message;

	message.id = index + 1UL;
	if (index < builder->profile->mapping_count)
		fill_mapping(builder, &builder->profile->mappings[index], &message);
	builder->part.mapping = &list;
	builder->part.n_mapping = 1;
	write_part(builder);
}

/* Mapping i gets id i + 1. There must be at least one: old readers attach the main program's name to it. */
static void write_mappings(struct builder *builder)
{
	u32 main = main_mapping(builder->profile);

	write_mapping(builder, main);
	for (u32 i = 0; i < builder->profile->mapping_count; i++)
		if (i != main)
			write_mapping(builder, i);
}

static void fill_location(struct builder *builder, const struct profile_location *location, Pprof__Location *message)
{
	message->address = location->address;
	if (location->mapping < builder->profile->mapping_count)
		message->mapping_id = location->mapping + 1UL;
	message->line = take_messages(builder, &pprof__line__descriptor, location->line_count, &message->n_line);
	for (size_t i = 0; i < message->n_line; i++) {
		message->line[i]->function_id = add_function(builder, &location->lines[i]);
		message->line[i]->line = location->lines[i].line;
	}
}

static void write_locations(struct builder *builder)
{
	for (u32 i = 0; i < builder->profile->location_count; i++) {
		Pprof__Location message = PPROF__LOCATION__INIT, *list = &message;

		message.id = i + 1UL;
		fill_location(builder, &builder->profile->locations[i], &message);
		builder->part.location = &list;
		builder->part.n_location = 1;
		write_part(builder);
	}
}

/* --- how much --- */

/* A number of 0 or an empty text gets no label. */
static void add_label(struct builder *builder, const char *key, u64 number, const char *text, Pprof__Sample *message)
{
	Pprof__Label *label;

	if (!message->label || (!number && (!text || !*text)))
		return;
	label = message->label[message->n_label++];
	label->key = add_string(builder, key);
	label->num = clamp(number);
	if (text)
		label->str = add_string(builder, text);
}

static void add_labels(struct builder *builder, const struct profile_sample *sample, Pprof__Sample *message)
{
	const struct profile_labels *labels = NULL;
	size_t room;

	if (sample->labels && sample->labels <= builder->profile->label_count)
		labels = &builder->profile->labels[sample->labels - 1];
	message->label = take_messages(builder, &pprof__label__descriptor, labels ? 5 : 1, &room);
	add_label(builder, "bytes", sample->size, NULL, message);
	if (!labels)
		return;
	add_label(builder, "pid", labels->pid, NULL, message);
	add_label(builder, "comm", 0, labels->comm, message);
	add_label(builder, "container", 0, labels->container, message);
	add_label(builder, "container_id", 0, labels->container_id, message);
}

static void fill_sample(struct builder *builder, const struct profile_sample *sample, Pprof__Sample *message)
{
	u64 value[MEASURE_MAX];

	message->location_id = take(builder, sample->depth, sizeof(*message->location_id));
	message->value = take(builder, MEASURE_MAX, sizeof(*message->value));
	if (!message->location_id || !message->value)
		return;
	for (u32 i = 0; i < sample->depth; i++)
		message->location_id[message->n_location_id++] = sample->location[i] + 1UL;
	profile_sample_values(builder->profile, sample, value);
	for (unsigned int m = 0; m < measure_count(builder->profile); m++)
		message->value[message->n_value++] = clamp(value[m]);
	add_labels(builder, sample, message);
	if (sample->lifetime && builder->profile->model.known)
		message->heaptap_lifetime = take(builder, 1, sizeof(*message->heaptap_lifetime));
	if (!message->heaptap_lifetime)
		return;
	builder->lifetime = lifetime_unpack(sample->lifetime);
	pprof_lifetime_pack(&builder->lifetime, message->heaptap_lifetime);
}

static void write_samples(struct builder *builder)
{
	for (u32 i = 0; i < builder->profile->sample_count; i++) {
		Pprof__Sample message = PPROF__SAMPLE__INIT, *list = &message;

		fill_sample(builder, &builder->profile->samples[i], &message);
		builder->part.sample = &list;
		builder->part.n_sample = 1;
		write_part(builder);
	}
}

/* --- the file --- */

/* What is in none of the tables. Entry 0 of the strings is "", by the format's rule. */
static void write_head(struct builder *builder)
{
	Pprof__Model model;

	add_string(builder, "");
	add_types(builder);
	add_comments(builder);
	if (builder->profile->model.known) {
		pprof_model_pack(builder->profile, &model);
		builder->part.heaptap_model = &model;
	}
	write_part(builder);
}

int pprof_write(const struct profile *profile, FILE *out)
{
	struct builder builder = {.profile = profile, .part = PPROF__PROFILE__INIT};
	struct gzip gzip;
	int err = gzip_begin(&gzip, out);

	if (err)
		return err;
	builder.gzip = &gzip;
	write_head(&builder);
	write_mappings(&builder);
	write_locations(&builder);
	write_samples(&builder);
	write_functions(&builder);
	write_strings(&builder);
	intern_release(&builder.strings);
	intern_release(&builder.functions);
	err = gzip_end(&gzip);
	if (builder.failed)
		return -ENOMEM;
	return err ? err : stream_flush(out);
}
