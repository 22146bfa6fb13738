/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gzipped protobuf of pprof.proto: estimates, with everything named that has a name, so that no reader needs the
 * binaries. The message lives in an arena for the time of one call. Called by writer.c.
 */
#include "writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Without memory an element stays outside, which its table pointer tells, instead of uthash leaving the program. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "gzip.h"
#include "ledger.h"
#include "model.h"
#include "utf8.h"

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

/* Errors are sticky: after `failed` every step is harmless, and the end reports it. */
struct builder {
	const struct profile *profile;
	Pprof__Profile *message;
	struct block *blocks;
	struct string *strings;
	struct function *functions;
	bool failed;
};

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

static s64 clamp(u64 value)
{
	return value > INT64_MAX ? INT64_MAX : (s64)value;
}

/* --- tables
 * ------------------------------------------------------------------------------------------------------------- */

/* The index of `text` in the string table; NULL is the empty string. The hash grows by uthash, which aborts without
 * memory. */
static s64 string_index(struct builder *builder, const char *text)
{
	char *clean = utf8_clean(text ? text : "");
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
	string = take(builder, 1, sizeof(*string));
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

static u64 function_id(struct builder *builder, const struct profile_line *line)
{
	struct function_key key = {
		.name = string_index(builder, line->function),
		.system_name = string_index(builder, line->system_name),
		.file = string_index(builder, line->file),
		.start_line = line->start_line,
	};
	struct function *function = NULL;

	HASH_FIND(hh, builder->functions, &key, sizeof(key), function);
	if (function)
		return function->message.id;
	function = take(builder, 1, sizeof(*function));
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

static void list_strings(struct builder *builder)
{
	Pprof__Profile *message = builder->message;
	struct string *string;
	size_t count = HASH_COUNT(builder->strings);

	message->string_table = take(builder, count + 1, sizeof(*message->string_table));
	if (!message->string_table)
		return;
	for (string = builder->strings; string; string = string->hh.next)
		message->string_table[message->n_string_table++] = string->text;
}

static void list_functions(struct builder *builder)
{
	Pprof__Profile *message = builder->message;
	struct function *function;

	message->function = take(builder, HASH_COUNT(builder->functions) + 1UL, sizeof(*message->function));
	if (!message->function)
		return;
	for (function = builder->functions; function; function = function->hh.next)
		message->function[message->n_function++] = &function->message;
}

/* --- what is measured
 * --------------------------------------------------------------------------------------------------- */

static Pprof__ValueType *value_type(struct builder *builder, const char *type, const char *unit)
{
	Pprof__ValueType *message = take(builder, 1, sizeof(*message));

	if (!message)
		return NULL;
	pprof__value_type__init(message);
	message->type = string_index(builder, type);
	message->unit = string_index(builder, unit);
	return message;
}

/* Without free probes nothing is known of what lives, and a column of zeros would claim that it is. */
static unsigned int measure_count(const struct profile *profile)
{
	return profile->alloc_only ? INUSE_OBJECTS : MEASURE_MAX;
}

static void add_types(struct builder *builder)
{
	static const char *const types[MEASURE_MAX] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};
	static const char *const units[MEASURE_MAX] = {"count", "bytes", "count", "bytes"};
	Pprof__Profile *message = builder->message;

	message->sample_type = take(builder, MEASURE_MAX, sizeof(*message->sample_type));
	for (unsigned int m = 0; message->sample_type && m < measure_count(builder->profile); m++) {
		message->sample_type[m] = value_type(builder, types[m], units[m]);
		message->n_sample_type++;
	}
	message->period_type = value_type(builder, "space", "bytes");
	message->period = clamp(builder->profile->sample_bytes);
	message->time_nanos = clamp(builder->profile->start_unix_ns);
	message->duration_nanos = clamp(builder->profile->duration_ns);
}

/* Only what takes something from the profile: pprof shows comments above every report. */
static void add_comments(struct builder *builder)
{
	Pprof__Profile *message = builder->message;

	message->comment = take(builder, COUNTER_MAX, sizeof(*message->comment));
	for (unsigned int i = 0; message->comment && i < COUNTER_MAX; i++) {
		char text[96];

		if (!builder->profile->ledger[i] || !ledger_is_loss(i))
			continue;
		snprintf(text, sizeof(text), "heaptap: %s=%" PRIu64, ledger_name(i), builder->profile->ledger[i]);
		message->comment[message->n_comment++] = string_index(builder, text);
	}
}

/* --- where
 * -------------------------------------------------------------------------------------------------------------- */

static void build_id_text(const struct profile_mapping *mapping, char text[2 * sizeof(mapping->build_id) + 1])
{
	text[0] = '\0';
	for (u8 i = 0; i < mapping->build_id_size && i < sizeof(mapping->build_id); i++)
		snprintf(text + 2 * i, 3, "%02x", mapping->build_id[i]);
}

static void fill_mapping(struct builder *builder, const struct profile_mapping *mapping, Pprof__Mapping *message)
{
	char build_id[2 * sizeof(mapping->build_id) + 1];

	build_id_text(mapping, build_id);
	message->memory_start = mapping->start;
	message->memory_limit = mapping->end;
	message->file_offset = mapping->file_offset;
	message->filename = string_index(builder, mapping->path);
	message->build_id = string_index(builder, build_id);
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

/* Mapping i gets id i + 1. At least one there must be: readers of old hang the main program's name on it. */
static void add_mappings(struct builder *builder)
{
	const struct profile *profile = builder->profile;
	Pprof__Profile *message = builder->message;
	u32 count = profile->mapping_count ? profile->mapping_count : 1, first = main_mapping(profile);
	Pprof__Mapping *mappings = take(builder, count, sizeof(*mappings));

	message->mapping = take(builder, count, sizeof(*message->mapping));
	if (!mappings || !message->mapping)
		return;
	for (u32 i = 0; i < count; i++) {
		pprof__mapping__init(&mappings[i]);
		mappings[i].id = i + 1UL;
		if (i < profile->mapping_count)
			fill_mapping(builder, &profile->mappings[i], &mappings[i]);
	}
	message->mapping[message->n_mapping++] = &mappings[first];
	for (u32 i = 0; i < count; i++)
		if (i != first)
			message->mapping[message->n_mapping++] = &mappings[i];
}

static void fill_location(struct builder *builder, const struct profile_location *location, Pprof__Location *message)
{
	Pprof__Line *lines = take(builder, location->line_count, sizeof(*lines));

	message->line = take(builder, location->line_count, sizeof(*message->line));
	message->address = location->address;
	if (location->mapping < builder->profile->mapping_count)
		message->mapping_id = location->mapping + 1UL;
	if (!lines || !message->line)
		return;
	for (u32 i = 0; i < location->line_count; i++) {
		pprof__line__init(&lines[i]);
		lines[i].function_id = function_id(builder, &location->lines[i]);
		lines[i].line = location->lines[i].line;
		message->line[message->n_line++] = &lines[i];
	}
}

static void add_locations(struct builder *builder)
{
	const struct profile *profile = builder->profile;
	Pprof__Profile *message = builder->message;
	Pprof__Location *locations = take(builder, profile->location_count, sizeof(*locations));

	message->location = take(builder, profile->location_count, sizeof(*message->location));
	if (!locations || !message->location)
		return;
	for (u32 i = 0; i < profile->location_count; i++) {
		pprof__location__init(&locations[i]);
		locations[i].id = i + 1UL;
		fill_location(builder, &profile->locations[i], &locations[i]);
		message->location[message->n_location++] = &locations[i];
	}
}

/* --- how much
 * ----------------------------------------------------------------------------------------------------------- */

#define LABELS_MAX 5

static Pprof__Label *add_label(struct builder *builder, const char *key, Pprof__Sample *message)
{
	Pprof__Label *label = take(builder, 1, sizeof(*label));

	if (!message->label)
		message->label = take(builder, LABELS_MAX, sizeof(*message->label));
	if (!label || !message->label)
		return NULL;
	pprof__label__init(label);
	label->key = string_index(builder, key);
	message->label[message->n_label++] = label;
	return label;
}

static void add_number(struct builder *builder, const char *key, u64 number, Pprof__Sample *message)
{
	Pprof__Label *label = number ? add_label(builder, key, message) : NULL;

	if (label)
		label->num = clamp(number);
}

static void add_text(struct builder *builder, const char *key, const char *text, Pprof__Sample *message)
{
	Pprof__Label *label = text && *text ? add_label(builder, key, message) : NULL;

	if (label)
		label->str = string_index(builder, text);
}

static void add_labels(struct builder *builder, const struct profile_sample *sample, Pprof__Sample *message)
{
	const struct profile_origin *origin;

	add_number(builder, "bytes", sample->size, message);
	if (!sample->origin || sample->origin > builder->profile->origin_count)
		return;
	origin = &builder->profile->origins[sample->origin - 1];
	add_number(builder, "pid", origin->pid, message);
	add_text(builder, "comm", origin->comm, message);
	add_text(builder, "container", origin->container, message);
	add_text(builder, "container_id", origin->container_id, message);
}

static void add_lifetime(struct builder *builder, struct lifetime *lifetime, Pprof__Sample *message)
{
	message->heaptap_lifetime = take(builder, 1, sizeof(*message->heaptap_lifetime));
	if (message->heaptap_lifetime)
		model_pack_lifetime(lifetime, message->heaptap_lifetime);
}

static void add_model(struct builder *builder)
{
	Pprof__Model *message = take(builder, 1, sizeof(*message));

	if (message)
		model_pack(builder->profile, message);
	builder->message->heaptap_model = message;
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
		add_lifetime(builder, sample->lifetime, message);
}

static void add_samples(struct builder *builder)
{
	const struct profile *profile = builder->profile;
	Pprof__Profile *message = builder->message;
	Pprof__Sample *samples = take(builder, profile->sample_count, sizeof(*samples));

	message->sample = take(builder, profile->sample_count, sizeof(*message->sample));
	if (!samples || !message->sample)
		return;
	for (u32 i = 0; i < profile->sample_count; i++) {
		pprof__sample__init(&samples[i]);
		fill_sample(builder, &profile->samples[i], &samples[i]);
		message->sample[message->n_sample++] = &samples[i];
	}
}

static void builder_release(struct builder *builder)
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

/* --- the file
 * ----------------------------------------------------------------------------------------------------------- */

static int write_message(const Pprof__Profile *message, FILE *out)
{
	struct gzip gzip;
	int err = gzip_begin(&gzip, out);

	if (err)
		return err;
	pprof__profile__pack_to_buffer(message, &gzip.base);
	err = gzip_end(&gzip);
	return err ? err : writer_flush(out);
}

int write_pprof(const struct profile *profile, FILE *out)
{
	Pprof__Profile message = PPROF__PROFILE__INIT;
	struct builder builder = {.profile = profile, .message = &message};
	int err = -ENOMEM;

	string_index(&builder, ""); /* entry 0, by the format's rule */
	add_types(&builder);
	add_comments(&builder);
	add_mappings(&builder);
	add_locations(&builder);
	add_samples(&builder);
	if (profile->model.known)
		add_model(&builder);
	list_functions(&builder);
	list_strings(&builder);
	if (!builder.failed)
		err = write_message(&message, out);
	builder_release(&builder);
	return err;
}
