/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gzipped protobuf of pprof.proto: estimates, with everything named that has a name, so that no reader needs the
 * binaries. Called by output_file.c.
 */
#include "format/pprof_write.h"

#include <inttypes.h>
#include <string.h>

#include "base/gzip.h"
#include "base/stream.h"
#include "profile/ledger.h"
#include "format/pprof_lifetime.h"
#include "format/pprof_builder.h"

static s64 clamp(u64 value)
{
	return value > INT64_MAX ? INT64_MAX : (s64)value;
}

/* --- what is measured --- */

static Pprof__ValueType *value_type(struct pprof_builder *builder, const char *type, const char *unit)
{
	Pprof__ValueType *message = pprof_builder_take(builder, 1, sizeof(*message));

	if (!message)
		return NULL;
	pprof__value_type__init(message);
	message->type = pprof_builder_string(builder, type);
	message->unit = pprof_builder_string(builder, unit);
	return message;
}

/* Without free probes nothing is known of what lives, and a column of zeros would claim that it is. */
static unsigned int measure_count(const struct profile *profile)
{
	return profile->alloc_only ? INUSE_OBJECTS : MEASURE_MAX;
}

static void add_types(struct pprof_builder *builder)
{
	Pprof__Profile *message = builder->message;

	message->sample_type = pprof_builder_take(builder, MEASURE_MAX, sizeof(*message->sample_type));
	for (unsigned int m = 0; message->sample_type && m < measure_count(builder->profile); m++) {
		message->sample_type[m] =
			value_type(builder, profile_measure_names[m], measure_is_space(m) ? "bytes" : "count");
		message->n_sample_type++;
	}
	message->period_type = value_type(builder, "space", "bytes");
	message->period = clamp(builder->profile->sample_bytes);
	message->time_nanos = clamp(builder->profile->start_unix_ns);
	message->duration_nanos = clamp(builder->profile->duration_ns);
}

/* Only what takes something from the profile: pprof shows comments above every report. */
static void add_comments(struct pprof_builder *builder)
{
	Pprof__Profile *message = builder->message;

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

/* Mapping i gets id i + 1. At least one there must be: readers of old hang the main program's name on it. */
static void add_mappings(struct pprof_builder *builder)
{
	const struct profile *profile = builder->profile;
	Pprof__Profile *message = builder->message;
	u32 count = profile->mapping_count ? profile->mapping_count : 1, first = main_mapping(profile);
	Pprof__Mapping *mappings = pprof_builder_take(builder, count, sizeof(*mappings));

	message->mapping = pprof_builder_take(builder, count, sizeof(*message->mapping));
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

static void fill_location(struct pprof_builder *builder, const struct profile_location *location,
			  Pprof__Location *message)
{
	Pprof__Line *lines = pprof_builder_take(builder, location->line_count, sizeof(*lines));

	message->line = pprof_builder_take(builder, location->line_count, sizeof(*message->line));
	message->address = location->address;
	if (location->mapping < builder->profile->mapping_count)
		message->mapping_id = location->mapping + 1UL;
	if (!lines || !message->line)
		return;
	for (u32 i = 0; i < location->line_count; i++) {
		pprof__line__init(&lines[i]);
		lines[i].function_id = pprof_builder_function(builder, &location->lines[i]);
		lines[i].line = location->lines[i].line;
		message->line[message->n_line++] = &lines[i];
	}
}

static void add_locations(struct pprof_builder *builder)
{
	const struct profile *profile = builder->profile;
	Pprof__Profile *message = builder->message;
	Pprof__Location *locations = pprof_builder_take(builder, profile->location_count, sizeof(*locations));

	message->location = pprof_builder_take(builder, profile->location_count, sizeof(*message->location));
	if (!locations || !message->location)
		return;
	for (u32 i = 0; i < profile->location_count; i++) {
		pprof__location__init(&locations[i]);
		locations[i].id = i + 1UL;
		fill_location(builder, &profile->locations[i], &locations[i]);
		message->location[message->n_location++] = &locations[i];
	}
}

/* --- how much --- */

#define LABELS_MAX 5

static Pprof__Label *add_label(struct pprof_builder *builder, const char *key, Pprof__Sample *message)
{
	Pprof__Label *label = pprof_builder_take(builder, 1, sizeof(*label));

	if (!message->label)
		message->label = pprof_builder_take(builder, LABELS_MAX, sizeof(*message->label));
	if (!label || !message->label)
		return NULL;
	pprof__label__init(label);
	label->key = pprof_builder_string(builder, key);
	message->label[message->n_label++] = label;
	return label;
}

static void add_number(struct pprof_builder *builder, const char *key, u64 number, Pprof__Sample *message)
{
	Pprof__Label *label = number ? add_label(builder, key, message) : NULL;

	if (label)
		label->num = clamp(number);
}

static void add_text(struct pprof_builder *builder, const char *key, const char *text, Pprof__Sample *message)
{
	Pprof__Label *label = text && *text ? add_label(builder, key, message) : NULL;

	if (label)
		label->str = pprof_builder_string(builder, text);
}

static void add_labels(struct pprof_builder *builder, const struct profile_sample *sample, Pprof__Sample *message)
{
	const struct profile_labels *labels;

	add_number(builder, "bytes", sample->size, message);
	if (!sample->labels || sample->labels > builder->profile->label_count)
		return;
	labels = &builder->profile->labels[sample->labels - 1];
	add_number(builder, "pid", labels->pid, message);
	add_text(builder, "comm", labels->comm, message);
	add_text(builder, "container", labels->container, message);
	add_text(builder, "container_id", labels->container_id, message);
}

static void add_lifetime(struct pprof_builder *builder, struct lifetime *lifetime, Pprof__Sample *message)
{
	message->heaptap_lifetime = pprof_builder_take(builder, 1, sizeof(*message->heaptap_lifetime));
	if (message->heaptap_lifetime)
		pprof_lifetime_pack(lifetime, message->heaptap_lifetime);
}

static void add_model(struct pprof_builder *builder)
{
	Pprof__Model *message = pprof_builder_take(builder, 1, sizeof(*message));

	if (message)
		pprof_model_pack(builder->profile, message);
	builder->message->heaptap_model = message;
}

static void fill_sample(struct pprof_builder *builder, const struct profile_sample *sample, Pprof__Sample *message)
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
		add_lifetime(builder, sample->lifetime, message);
}

static void add_samples(struct pprof_builder *builder)
{
	const struct profile *profile = builder->profile;
	Pprof__Profile *message = builder->message;
	Pprof__Sample *samples = pprof_builder_take(builder, profile->sample_count, sizeof(*samples));

	message->sample = pprof_builder_take(builder, profile->sample_count, sizeof(*message->sample));
	if (!samples || !message->sample)
		return;
	for (u32 i = 0; i < profile->sample_count; i++) {
		pprof__sample__init(&samples[i]);
		fill_sample(builder, &profile->samples[i], &samples[i]);
		message->sample[message->n_sample++] = &samples[i];
	}
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
	struct pprof_builder builder = {.profile = profile, .message = &message};
	int err;

	pprof_builder_string(&builder, ""); /* entry 0, by the format's rule */
	add_types(&builder);
	add_comments(&builder);
	add_mappings(&builder);
	add_locations(&builder);
	add_samples(&builder);
	if (profile->model.known)
		add_model(&builder);
	err = pprof_builder_finish(&builder);
	if (!err)
		err = write_message(&message, out);
	pprof_builder_release(&builder);
	return err;
}
