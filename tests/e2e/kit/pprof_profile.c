/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a .pb.gz into the shape of a text profile; every rule that it breaks is a failure of heaptap's writer. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "pprof.pb-c.h"

#include "text_profile.h"

#define VALUES 4
/* Far more than any test records. */
#define UNPACKED_MAX (64 << 20)

static int unpack(const char *path, Pprof__Profile **ret_message)
{
	gzFile file = gzopen(path, "rbe");
	uint8_t *bytes = malloc(UNPACKED_MAX);
	int length = -1;

	if (file && bytes)
		length = gzread(file, bytes, UNPACKED_MAX);
	if (file)
		gzclose(file);
	*ret_message = length > 0 && length < UNPACKED_MAX ? pprof__profile__unpack(NULL, (size_t)length, bytes) : NULL;
	free(bytes);
	return *ret_message ? 0 : -EBADMSG;
}

static const char *string_at(const Pprof__Profile *message, int64_t index)
{
	return index >= 0 && (size_t)index < message->n_string_table ? message->string_table[index] : NULL;
}

static bool string_is(const Pprof__Profile *message, int64_t index, const char *expected)
{
	const char *string = string_at(message, index);

	return string && !strcmp(string, expected);
}

static bool types_are_those_of_go(const Pprof__Profile *message)
{
	static const char *const types[VALUES][2] = {{"alloc_objects", "count"},
						     {"alloc_space", "bytes"},
						     {"inuse_objects", "count"},
						     {"inuse_space", "bytes"}};

	if (message->n_sample_type != VALUES || !string_is(message, 0, ""))
		return false;
	for (int i = 0; i < VALUES; i++) {
		if (!string_is(message, message->sample_type[i]->type, types[i][0]) ||
		    !string_is(message, message->sample_type[i]->unit, types[i][1]))
			return false;
	}
	return message->period_type && string_is(message, message->period_type->type, "space") &&
	       string_is(message, message->period_type->unit, "bytes") && message->duration_nanos >= 0;
}

/* Libraries that come and go may lie at the same addresses. */
static bool is_same_place(const Pprof__Location *one, const Pprof__Location *other)
{
	return one->address == other->address && one->mapping_id == other->mapping_id;
}

static bool location_is_sound(const Pprof__Profile *message, size_t index)
{
	const Pprof__Location *location = message->location[index];

	if (location->id != index + 1 || location->mapping_id > message->n_mapping || !location->n_line)
		return false;
	for (size_t i = 0; i < index; i++) {
		if (is_same_place(message->location[i], location))
			return false;
	}
	for (size_t i = 0; i < location->n_line; i++) {
		if (!location->line[i]->function_id || location->line[i]->function_id > message->n_function)
			return false;
	}
	return true;
}

/* The main program comes first, whatever its number. */
static bool mapping_is_sound(const Pprof__Profile *message, size_t index)
{
	const Pprof__Mapping *mapping = message->mapping[index];

	for (size_t i = 0; i < index; i++) {
		if (message->mapping[i]->id == mapping->id)
			return false;
	}
	return mapping->id && mapping->id <= message->n_mapping && string_at(message, mapping->filename);
}

static bool identifiers_are_sound(const Pprof__Profile *message)
{
	for (size_t i = 0; i < message->n_mapping; i++) {
		if (!mapping_is_sound(message, i))
			return false;
	}
	for (size_t i = 0; i < message->n_function; i++) {
		if (message->function[i]->id != i + 1 || !string_at(message, message->function[i]->name) ||
		    !string_at(message, message->function[i]->filename))
			return false;
	}
	for (size_t i = 0; i < message->n_location; i++) {
		if (!location_is_sound(message, i))
			return false;
	}
	return true;
}

/* One frame of a location: that of a line. */
static void add_frame(const Pprof__Profile *message, const Pprof__Location *location, const Pprof__Line *line,
		      struct text_record *record)
{
	const Pprof__Function *function = message->function[line->function_id - 1];
	struct text_frame *frame;

	record->frames = realloc(record->frames, (record->frame_count + 1) * sizeof(*frame));
	if (!record->frames)
		abort();
	frame = &record->frames[record->frame_count++];
	*frame = (struct text_frame){
		.function = strdup(string_at(message, function->name)),
		.file = strdup(string_at(message, function->filename)),
		.line = (unsigned int)line->line,
		.pc = location->address,
	};
}

static bool add_stack(const Pprof__Profile *message, const Pprof__Sample *sample, struct text_record *record)
{
	if (sample->n_location_id > TEXT_DEPTH_MAX)
		return false;
	for (size_t i = 0; i < sample->n_location_id; i++) {
		uint64_t id = sample->location_id[i];
		const Pprof__Location *location;

		if (!id || id > message->n_location)
			return false;
		location = message->location[id - 1];
		record->pc[record->pc_count++] = location->address + 1;
		for (size_t j = 0; j < location->n_line; j++)
			add_frame(message, location, location->line[j], record);
	}
	return true;
}

/* The label is the size of each object: absent for 0 only. */
static bool label_fits(const Pprof__Profile *message, const Pprof__Sample *sample, int64_t interval)
{
	int64_t size = 0;

	for (size_t i = 0; i < sample->n_label; i++) {
		if (string_is(message, sample->label[i]->key, "bytes"))
			size = sample->label[i]->num;
	}
	return size >= 0 && (interval != 1 || (sample->value[0] * size == sample->value[1] &&
					       sample->value[2] * size == sample->value[3]));
}

static bool add_record(const Pprof__Profile *message, const Pprof__Sample *sample, struct text_profile *profile)
{
	struct text_record *record;

	if (sample->n_value != VALUES || !label_fits(message, sample, message->period))
		return false;
	for (int i = 0; i < VALUES; i++) {
		if (sample->value[i] < 0)
			return false;
	}
	record = memset(&profile->records[profile->count++], 0, sizeof(*record));
	profile->alloc_objects += record->alloc_objects = (uint64_t)sample->value[0];
	profile->alloc_bytes += record->alloc_bytes = (uint64_t)sample->value[1];
	profile->inuse_objects += record->inuse_objects = (uint64_t)sample->value[2];
	profile->inuse_bytes += record->inuse_bytes = (uint64_t)sample->value[3];
	return add_stack(message, sample, record);
}

int pprof_profile_read(const char *path, struct text_profile *ret_profile)
{
	struct text_profile profile = {0};
	Pprof__Profile *message;
	int error = unpack(path, &message);

	if (error) {
		fprintf(stderr, "%s: not a gzipped profile\n", path);
		return error;
	}
	profile.records = calloc(message->n_sample + 1, sizeof(*profile.records));
	if (!profile.records)
		abort();
	profile.twice_interval = 2 * (uint64_t)message->period;
	profile.duration_ns = (uint64_t)message->duration_nanos;
	profile.mapping_count = message->n_mapping;
	if (!types_are_those_of_go(message) || !identifiers_are_sound(message))
		error = -EBADMSG;
	for (size_t i = 0; !error && i < message->n_sample; i++) {
		if (!add_record(message, message->sample[i], &profile))
			error = -EBADMSG;
	}
	pprof__profile__free_unpacked(message, NULL);
	if (error) {
		fprintf(stderr, "%s: inconsistent\n", path);
		text_profile_release(&profile);
		return error;
	}
	*ret_profile = profile;
	return 0;
}
