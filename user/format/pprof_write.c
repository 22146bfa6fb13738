/* SPDX-License-Identifier: GPL-2.0-or-later */
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
 * A message under construction: its memory, and its tables of strings and functions without duplicates. After `failed`
 * (no memory) every step is harmless: a list that was not allocated is empty.
 */
struct builder {
	const struct profile *profile;
	Pprof__Profile *message;
	struct block *blocks;
	struct intern strings;	 /* with their NUL */
	struct intern functions; /* struct function_key */
	bool failed;
};

/* Zeroed memory for `count` items of `size` bytes, valid as long as the builder; NULL: failed. */
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

static void put_tables(struct builder *builder)
{
	Pprof__Profile *message = builder->message;
	const struct interned *entry;

	message->function = take_messages(builder, &pprof__function__descriptor, intern_count(&builder->functions),
					  &message->n_function);
	for (entry = builder->functions.entries; message->n_function && entry; entry = entry->hh.next) {
		const struct function_key *key = (const void *)entry->bytes;
		Pprof__Function *function = message->function[entry->index];

		function->id = entry->index + 1UL;
		function->name = key->name;
		function->system_name = key->system_name;
		function->filename = key->file;
		function->start_line = key->start_line;
	}
	message->string_table = take(builder, intern_count(&builder->strings), sizeof(*message->string_table));
	for (entry = builder->strings.entries; message->string_table && entry; entry = entry->hh.next)
		message->string_table[message->n_string_table++] = (char *)entry->bytes;
}

static void release(struct builder *builder)
{
	intern_release(&builder->strings);
	intern_release(&builder->functions);
	while (builder->blocks) {
		struct block *block = builder->blocks;

		builder->blocks = block->next;
		free(block);
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
	Pprof__Profile *message = builder->message;
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
	Pprof__Profile *message = builder->message;

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

/* Mapping i gets id i + 1. There must be at least one: old readers attach the main program's name to it. */
static void add_mappings(struct builder *builder)
{
	const struct profile *profile = builder->profile;
	Pprof__Profile *message = builder->message;
	u32 count = profile->mapping_count ? profile->mapping_count : 1, main = main_mapping(profile);

	message->mapping = take_messages(builder, &pprof__mapping__descriptor, count, &message->n_mapping);
	for (size_t i = 0; i < message->n_mapping; i++) {
		message->mapping[i]->id = i + 1;
		if (i < profile->mapping_count)
			fill_mapping(builder, &profile->mappings[i], message->mapping[i]);
	}
	for (u32 i = main; message->n_mapping && i > 0; i--) {
		Pprof__Mapping *before = message->mapping[i - 1];

		message->mapping[i - 1] = message->mapping[i];
		message->mapping[i] = before;
	}
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

static void add_locations(struct builder *builder)
{
	const struct profile *profile = builder->profile;
	Pprof__Profile *message = builder->message;

	message->location =
		take_messages(builder, &pprof__location__descriptor, profile->location_count, &message->n_location);
	for (size_t i = 0; i < message->n_location; i++) {
		message->location[i]->id = i + 1;
		fill_location(builder, &profile->locations[i], message->location[i]);
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
	if (message->heaptap_lifetime)
		pprof_lifetime_pack(sample->lifetime, message->heaptap_lifetime);
}

static void add_samples(struct builder *builder)
{
	const struct profile *profile = builder->profile;
	Pprof__Profile *message = builder->message;

	message->sample = take_messages(builder, &pprof__sample__descriptor, profile->sample_count, &message->n_sample);
	for (size_t i = 0; i < message->n_sample; i++)
		fill_sample(builder, &profile->samples[i], message->sample[i]);
}

/* --- the file --- */

static int write_message(const Pprof__Profile *message, FILE *out)
{
	struct gzip gzip;
	int err = gzip_begin(&gzip, out);

	if (err)
		return err;
	pprof__profile__pack_to_buffer(message, &gzip.base);
	err = gzip_end(&gzip);
	return err ? err : stream_flush(out);
}

int pprof_write(const struct profile *profile, FILE *out)
{
	Pprof__Profile message = PPROF__PROFILE__INIT;
	struct builder builder = {.profile = profile, .message = &message};
	int err;

	add_string(&builder, ""); /* entry 0, by the format's rule */
	add_types(&builder);
	add_comments(&builder);
	add_mappings(&builder);
	add_locations(&builder);
	add_samples(&builder);
	if (profile->model.known)
		message.heaptap_model = take(&builder, 1, sizeof(*message.heaptap_model));
	if (message.heaptap_model)
		pprof_model_pack(profile, message.heaptap_model);
	put_tables(&builder);
	err = builder.failed ? -ENOMEM : write_message(&message, out);
	release(&builder);
	return err;
}
