/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The message is written in parts, each a message with some of its fields: protobuf readers add up what follows one another.
 * So memory has one sample of it at a time, and no copy of the profile.
 */
#include "format/pprof_write.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/stream.h"
#include "format/pprof_builder.h"
#include "format/pprof_lifetime.h"
#include "format/site_label.h"
#include "profile/ledger.h"

static s64 clamp(u64 value)
{
	return value > INT64_MAX ? INT64_MAX : (s64)value;
}

/* --- what is measured --- */

static void set_type(struct pprof_builder *builder, Pprof__ValueType *message, const char *type, const char *unit)
{
	message->type = pprof_builder_string(builder, type);
	message->unit = pprof_builder_string(builder, unit);
}

/* Without free probes in-use is unknown, and a column of zeros would claim to know it. */
static unsigned int measure_count(const struct profile *profile)
{
	return profile->alloc_only ? INUSE_OBJECTS : MEASURE_MAX;
}

static void add_types(struct pprof_builder *builder)
{
	Pprof__Profile *message = &builder->part;
	Pprof__ValueType **period;
	size_t periods;

	message->sample_type = pprof_builder_messages(builder, &pprof__value_type__descriptor,
						      measure_count(builder->profile), &message->n_sample_type);
	for (size_t m = 0; m < message->n_sample_type; m++)
		set_type(builder, message->sample_type[m], profile_measure_names[m],
			 measure_is_space(m) ? "bytes" : "count");
	period = pprof_builder_messages(builder, &pprof__value_type__descriptor, 1, &periods);
	if (periods)
		set_type(builder, message->period_type = *period, "space", "bytes");
	message->period = clamp(builder->profile->sample_bytes);
	message->time_nanos = clamp(builder->profile->start_unix_ns);
	message->duration_nanos = clamp(builder->profile->duration_ns);
}

/* Losses only: pprof shows comments above every report. */
static void add_comments(struct pprof_builder *builder)
{
	Pprof__Profile *message = &builder->part;

	message->comment = pprof_builder_take(builder, COUNTER_MAX, sizeof(*message->comment));
	for (unsigned int i = 0; message->comment && i < COUNTER_MAX; i++) {
		char text[96];

		if (!builder->profile->ledger[i] || !ledger_is_loss(i))
			continue;
		snprintf(text, sizeof(text), "heaptap: %s=%" PRIu64, ledger_name(i), builder->profile->ledger[i]);
		message->comment[message->n_comment++] = pprof_builder_string(builder, text);
	}
}

/* --- where --- */

static void fill_mapping(struct pprof_builder *builder, const struct profile_mapping *mapping, Pprof__Mapping *message)
{
	char build_id[PROFILE_BUILD_ID_SIZE];

	message->memory_start = mapping->start;
	message->memory_limit = mapping->end;
	message->file_offset = mapping->file_offset;
	message->filename = pprof_builder_string(builder, mapping->path);
	message->build_id = pprof_builder_string(builder, profile_build_id(mapping, build_id));
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

static void write_mapping(struct pprof_builder *builder, u32 index)
{
	Pprof__Mapping message = PPROF__MAPPING__INIT, *list = &message;

	message.id = index + 1UL;
	if (index < builder->profile->mapping_count)
		fill_mapping(builder, &builder->profile->mappings[index], &message);
	builder->part.mapping = &list;
	builder->part.n_mapping = 1;
	pprof_builder_write(builder);
}

/* Mapping i gets id i + 1. There must be at least one: old readers attach the main program's name to it. */
static void write_mappings(struct pprof_builder *builder)
{
	u32 main = main_mapping(builder->profile);

	write_mapping(builder, main);
	for (u32 i = 0; i < builder->profile->mapping_count; i++)
		if (i != main)
			write_mapping(builder, i);
}

/* Every location has a line: speedscope, and pprof's flame graph since Go 1.24, leave out those without. */
static void name_unnamed(struct pprof_builder *builder, const struct profile_location *location,
			 Pprof__Location *message)
{
	char name[SITE_LABEL_UNNAMED_SIZE];
	const struct profile_line line = {.function = name, .system_name = name};

	site_label_unnamed(builder->profile, location, name);
	message->line = pprof_builder_messages(builder, &pprof__line__descriptor, 1, &message->n_line);
	if (message->n_line)
		message->line[0]->function_id = pprof_builder_function(builder, &line);
}

static void fill_location(struct pprof_builder *builder, const struct profile_location *location,
			  Pprof__Location *message)
{
	message->address = location->address;
	if (location->mapping < builder->profile->mapping_count)
		message->mapping_id = location->mapping + 1UL;
	if (!location->line_count) {
		name_unnamed(builder, location, message);
		return;
	}
	message->line =
		pprof_builder_messages(builder, &pprof__line__descriptor, location->line_count, &message->n_line);
	for (size_t i = 0; i < message->n_line; i++) {
		message->line[i]->function_id = pprof_builder_function(builder, &location->lines[i]);
		message->line[i]->line = location->lines[i].line;
	}
}

static void write_locations(struct pprof_builder *builder)
{
	for (u32 i = 0; i < builder->profile->location_count; i++) {
		Pprof__Location message = PPROF__LOCATION__INIT, *list = &message;

		message.id = i + 1UL;
		fill_location(builder, &builder->profile->locations[i], &message);
		builder->part.location = &list;
		builder->part.n_location = 1;
		pprof_builder_write(builder);
	}
}

/* --- how much --- */

/* A number of 0 or an empty text gets no label. */
static void add_label(struct pprof_builder *builder, const char *key, u64 number, const char *text,
		      Pprof__Sample *message)
{
	Pprof__Label *label;

	if (!message->label || (!number && (!text || !*text)))
		return;
	label = message->label[message->n_label++];
	label->key = pprof_builder_string(builder, key);
	label->num = clamp(number);
	if (text)
		label->str = pprof_builder_string(builder, text);
}

static void add_labels(struct pprof_builder *builder, const struct profile_sample *sample, Pprof__Sample *message)
{
	const struct profile_labels *labels = NULL;
	size_t room;

	if (sample->labels && sample->labels <= builder->profile->label_count)
		labels = &builder->profile->labels[sample->labels - 1];
	message->label = pprof_builder_messages(builder, &pprof__label__descriptor, labels ? 5 : 1, &room);
	add_label(builder, "bytes", sample->size, NULL, message);
	if (!labels)
		return;
	add_label(builder, "pid", labels->pid, NULL, message);
	add_label(builder, "comm", 0, labels->comm, message);
	add_label(builder, "container", 0, labels->container, message);
	add_label(builder, "container_id", 0, labels->container_id, message);
}

/* `lifetime` must live as long as the part. */
static void fill_sample(struct pprof_builder *builder, const struct profile_sample *sample, struct lifetime *lifetime,
			Pprof__Sample *message)
{
	u64 value[MEASURE_MAX];

	message->location_id = pprof_builder_take(builder, sample->depth, sizeof(*message->location_id));
	message->value = pprof_builder_take(builder, MEASURE_MAX, sizeof(*message->value));
	if (!message->location_id || !message->value)
		return;
	for (u32 i = 0; i < sample->depth; i++)
		message->location_id[message->n_location_id++] = sample->location[i] + 1UL;
	profile_sample_values(builder->profile, sample, value);
	for (unsigned int m = 0; m < measure_count(builder->profile); m++)
		message->value[message->n_value++] = clamp(value[m]);
	add_labels(builder, sample, message);
	if (sample->lifetime && builder->profile->model.known)
		message->heaptap_lifetime = pprof_builder_take(builder, 1, sizeof(*message->heaptap_lifetime));
	if (!message->heaptap_lifetime)
		return;
	*lifetime = lifetime_unpack(sample->lifetime);
	pprof_lifetime_pack(lifetime, message->heaptap_lifetime);
}

static void write_samples(struct pprof_builder *builder)
{
	for (u32 i = 0; i < builder->profile->sample_count; i++) {
		Pprof__Sample message = PPROF__SAMPLE__INIT, *list = &message;
		struct lifetime lifetime;

		fill_sample(builder, &builder->profile->samples[i], &lifetime, &message);
		builder->part.sample = &list;
		builder->part.n_sample = 1;
		pprof_builder_write(builder);
	}
}

/* --- the file --- */

/* What is in none of the tables. Entry 0 of the strings is "", by the format's rule. */
static void write_head(struct pprof_builder *builder)
{
	Pprof__Model model;

	pprof_builder_string(builder, "");
	add_types(builder);
	add_comments(builder);
	if (builder->profile->model.known) {
		pprof_model_pack(builder->profile, &model);
		builder->part.heaptap_model = &model;
	}
	pprof_builder_write(builder);
}

int pprof_write(const struct profile *profile, FILE *out)
{
	struct pprof_builder builder = {.profile = profile, .part = PPROF__PROFILE__INIT};
	struct gzip gzip;
	int err = gzip_begin(&gzip, out);

	if (err)
		return err;
	builder.gzip = &gzip;
	write_head(&builder);
	write_mappings(&builder);
	write_locations(&builder);
	write_samples(&builder);
	pprof_builder_write_tables(&builder);
	err = gzip_end(&gzip);
	if (builder.failed)
		return -ENOMEM;
	return err ? err : stream_flush(out);
}
