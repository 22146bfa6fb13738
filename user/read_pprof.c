/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a file to a profile: unzip, unpack, check, convert. The file may come from anybody: every id and string index is
 * looked up and not trusted, and what zlib and protobuf-c may allocate is bounded. Called by report.c.
 */
#include "read_pprof.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gzip.h"
#include "ledger.h"
#include "model.h"
#include "origin.h"
#include "weight.h"

#define MESSAGE_MAX (4ull << 30) /* a repeated message of two bytes becomes a struct of 80 */

/* --- message --- */

static void *bounded_alloc(void *arg, size_t size)
{
	u64 *left = arg;

	if (size > *left)
		return NULL;
	*left -= size;
	return malloc(size);
}

static void bounded_free(void *arg, void *memory)
{
	(void)arg;
	free(memory);
}

/* The ids of one kind of message, sorted, with the place of each in its array. */
struct id {
	u64 id;
	u32 index;
};

struct ids {
	struct id *rows;
	size_t count;
};

static int id_compare(const void *a, const void *b)
{
	const struct id *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int ids_init(struct ids *ids, size_t count)
{
	ids->rows = calloc(count + 1, sizeof(*ids->rows));
	ids->count = count;
	return ids->rows ? 0 : -ENOMEM;
}

/* 0, or -EBADMSG when an id is 0 or stands twice. */
static int ids_sort(struct ids *ids)
{
	qsort(ids->rows, ids->count, sizeof(*ids->rows), id_compare);
	for (size_t i = 0; i < ids->count; i++)
		if (!ids->rows[i].id || (i && ids->rows[i].id == ids->rows[i - 1].id))
			return -EBADMSG;
	return 0;
}

static bool ids_find(const struct ids *ids, u64 id, u32 *ret_index)
{
	const struct id key = {.id = id};
	const struct id *row = bsearch(&key, ids->rows, ids->count, sizeof(*ids->rows), id_compare);

	if (row)
		*ret_index = row->index;
	return row;
}

struct reading {
	Pprof__Profile *message;
	struct ids mappings, functions, locations;
	u64 copied; /* bytes of strings: one of them can be named by every line */
	struct origin_table origins;
	struct profile *profile;
};

/* NULL: no such string. */
static const char *string_at(const struct reading *reading, s64 index)
{
	if (index < 0 || (u64)index >= reading->message->n_string_table)
		return NULL;
	return reading->message->string_table[index];
}

static bool string_is(const struct reading *reading, s64 index, const char *wanted)
{
	const char *string = string_at(reading, index);

	return string && !strcmp(string, wanted);
}

/* 0 and a copy, NULL for the empty string; -EBADMSG; -EFBIG; -ENOMEM. */
static int copy_string(struct reading *reading, s64 index, char **ret)
{
	const char *string = string_at(reading, index);

	if (!string)
		return -EBADMSG;
	reading->copied += strlen(string);
	if (reading->copied > MESSAGE_MAX)
		return -EFBIG;
	*ret = *string ? strdup(string) : NULL;
	return *string && !*ret ? -ENOMEM : 0;
}

/* Go's four sample types in Go's order, or the first two. */
static int check_types(const struct reading *reading)
{
	static const struct {
		const char *type, *unit;
	} wanted[MEASURE_MAX] = {
		[ALLOC_OBJECTS] = {"alloc_objects", "count"},
		[ALLOC_SPACE] = {"alloc_space", "bytes"},
		[INUSE_OBJECTS] = {"inuse_objects", "count"},
		[INUSE_SPACE] = {"inuse_space", "bytes"},
	};
	const Pprof__Profile *message = reading->message;

	if (message->n_sample_type != MEASURE_MAX && message->n_sample_type != INUSE_OBJECTS)
		return -EPROTO;
	for (size_t i = 0; i < message->n_sample_type; i++)
		if (!string_is(reading, message->sample_type[i]->type, wanted[i].type) ||
		    !string_is(reading, message->sample_type[i]->unit, wanted[i].unit))
			return -EPROTO;
	return 0;
}

/* --- conversion --- */

/* Hexadecimal to at most 20 bytes; the size, 0 when it is anything else. */
static u8 parse_build_id(const char *text, u8 build_id[20])
{
	size_t length = strlen(text);

	if (length % 2 || length > 40 || strspn(text, "0123456789abcdefABCDEF") != length)
		return 0;
	for (size_t i = 0; i < length / 2; i++) {
		const char digits[3] = {text[2 * i], text[2 * i + 1], 0};

		build_id[i] = strtoul(digits, NULL, 16);
	}
	return length / 2;
}

static int read_mappings(struct reading *reading)
{
	const Pprof__Profile *message = reading->message;
	struct profile *profile = reading->profile;
	int err = ids_init(&reading->mappings, message->n_mapping);

	profile->mappings = calloc(message->n_mapping + 1, sizeof(*profile->mappings));
	if (err || !profile->mappings)
		return -ENOMEM;
	for (size_t i = 0; i < message->n_mapping; i++) {
		const Pprof__Mapping *from = message->mapping[i];
		struct profile_mapping *to = &profile->mappings[profile->mapping_count++];
		const char *build_id = string_at(reading, from->build_id);

		reading->mappings.rows[i] = (struct id){.id = from->id, .index = i};
		err = copy_string(reading, from->filename, &to->path);
		if (err || !build_id)
			return err ? err : -EBADMSG;
		if (!to->path && !(to->path = strdup("")))
			return -ENOMEM;
		to->start = from->memory_start;
		to->end = from->memory_limit;
		to->file_offset = from->file_offset;
		to->build_id_size = parse_build_id(build_id, to->build_id);
		to->has_functions = from->has_functions;
		to->has_filenames = from->has_filenames;
		to->has_line_numbers = from->has_line_numbers;
		to->has_inline_frames = from->has_inline_frames;
	}
	return ids_sort(&reading->mappings);
}

static int read_functions(struct reading *reading)
{
	const Pprof__Profile *message = reading->message;

	if (ids_init(&reading->functions, message->n_function))
		return -ENOMEM;
	for (size_t i = 0; i < message->n_function; i++)
		reading->functions.rows[i] = (struct id){.id = message->function[i]->id, .index = i};
	return ids_sort(&reading->functions);
}

static u32 line_number(s64 line)
{
	return line < 0 || line > UINT32_MAX ? 0 : line;
}

static int read_line(struct reading *reading, const Pprof__Line *from, struct profile_line *to)
{
	const Pprof__Function *function;
	u32 index;
	int err;

	if (!ids_find(&reading->functions, from->function_id, &index))
		return -EBADMSG;
	function = reading->message->function[index];
	err = copy_string(reading, function->name, &to->function);
	err = err ? err : copy_string(reading, function->system_name, &to->system_name);
	err = err ? err : copy_string(reading, function->filename, &to->file);
	if (err)
		return err;
	/* Some producers fill only one of the names. */
	if (!to->function && !(to->function = strdup(to->system_name ? to->system_name : "")))
		return -ENOMEM;
	if (!to->system_name)
		to->system_name = to->function;
	to->line = line_number(from->line);
	to->start_line = line_number(function->start_line);
	return 0;
}

static int read_location(struct reading *reading, const Pprof__Location *from, struct profile_location *to)
{
	int err = 0;

	to->address = from->address;
	to->mapping = MAPPING_UNKNOWN;
	if (from->mapping_id && !ids_find(&reading->mappings, from->mapping_id, &to->mapping))
		return -EBADMSG;
	to->lines = calloc(from->n_line + 1, sizeof(*to->lines));
	if (!to->lines)
		return -ENOMEM;
	while (!err && to->line_count < from->n_line) {
		err = read_line(reading, from->line[to->line_count], &to->lines[to->line_count]);
		to->line_count++;
	}
	return err;
}

static int read_locations(struct reading *reading)
{
	const Pprof__Profile *message = reading->message;
	struct profile *profile = reading->profile;
	int err = ids_init(&reading->locations, message->n_location);

	profile->locations = calloc(message->n_location + 1, sizeof(*profile->locations));
	if (err || !profile->locations)
		return -ENOMEM;
	for (size_t i = 0; !err && i < message->n_location; i++) {
		reading->locations.rows[i] = (struct id){.id = message->location[i]->id, .index = i};
		err = read_location(reading, message->location[i], &profile->locations[profile->location_count++]);
	}
	return err ? err : ids_sort(&reading->locations);
}

/* The block size: the label "bytes", else the mean of what was allocated. */
static int read_size(const struct reading *reading, const Pprof__Sample *from, u64 *ret_size)
{
	*ret_size = from->value[ALLOC_OBJECTS] ? from->value[ALLOC_SPACE] / from->value[ALLOC_OBJECTS] : 0;
	for (size_t i = 0; i < from->n_label; i++) {
		if (!string_is(reading, from->label[i]->key, "bytes") || from->label[i]->str)
			continue;
		if (from->label[i]->num < 0)
			return -EBADMSG;
		*ret_size = from->label[i]->num;
	}
	return 0;
}

/* What the labels say of where the sample comes from; labels of others are passed over. */
static int read_origin(struct reading *reading, const Pprof__Sample *from, u32 *ret_origin)
{
	struct profile_origin origin = {0};

	for (size_t i = 0; i < from->n_label; i++) {
		const Pprof__Label *label = from->label[i];
		char *text = (char *)string_at(reading, label->str);

		if (!text)
			return -EBADMSG;
		if (string_is(reading, label->key, "pid") && label->num > 0 && label->num <= INT32_MAX)
			origin.pid = label->num;
		else if (string_is(reading, label->key, "comm") && *text)
			origin.comm = text;
		else if (string_is(reading, label->key, "container") && *text)
			origin.container = text;
		else if (string_is(reading, label->key, "container_id") && *text)
			origin.container_id = text;
	}
	return origin_add(&reading->origins, &origin, ret_origin);
}

static int read_sample(struct reading *reading, const Pprof__Sample *from, struct profile_sample *to)
{
	const struct profile *profile = reading->profile;
	int err;

	if (from->n_value != reading->message->n_sample_type)
		return -EBADMSG;
	for (size_t i = 0; i < from->n_value; i++)
		if (from->value[i] < 0)
			return -EBADMSG;
	err = read_size(reading, from, &to->size);
	err = err ? err : read_origin(reading, from, &to->origin);
	if (err)
		return err;
	to->location = calloc(from->n_location_id + 1, sizeof(*to->location));
	if (!to->location)
		return -ENOMEM;
	for (; to->depth < from->n_location_id; to->depth++)
		if (!ids_find(&reading->locations, from->location_id[to->depth], &to->location[to->depth]))
			return -EBADMSG;
	to->alloc_count = weight_unscale(from->value[ALLOC_OBJECTS], to->size, profile->sample_bytes);
	if (!profile->alloc_only)
		to->inuse_count = weight_unscale(from->value[INUSE_OBJECTS], to->size, profile->sample_bytes);
	return model_unpack_lifetime(from->heaptap_lifetime, profile, to);
}

static int read_samples(struct reading *reading)
{
	const Pprof__Profile *message = reading->message;
	struct profile *profile = reading->profile;
	int err = 0;

	profile->samples = calloc(message->n_sample + 1, sizeof(*profile->samples));
	if (!profile->samples)
		return -ENOMEM;
	for (size_t i = 0; !err && i < message->n_sample; i++)
		err = read_sample(reading, message->sample[i], &profile->samples[profile->sample_count++]);
	return err;
}

/* The losses that write_pprof leaves as comments, "heaptap: lost_ring=3"; comments of others are ignored. */
static void read_comments(const struct reading *reading)
{
	static const char prefix[] = "heaptap: ";

	for (size_t i = 0; i < reading->message->n_comment; i++) {
		const char *text = string_at(reading, reading->message->comment[i]), *number;
		char name[32] = "";
		unsigned int counter;

		if (!text || strncmp(text, prefix, sizeof(prefix) - 1) != 0)
			continue;
		text += sizeof(prefix) - 1;
		number = strchr(text, '=');
		if (!number || (size_t)(number - text) >= sizeof(name))
			continue;
		memcpy(name, text, number - text);
		counter = ledger_find(name);
		if (counter < COUNTER_MAX)
			reading->profile->ledger[counter] = strtoull(number + 1, NULL, 10);
	}
}

/*
 * A .pb.gz does not say whose it is; its name does: <pid>.<comm>[-N][.SEQ].pb.gz. Of any other file the name is all
 * there is to call it.
 */
static int read_name(struct profile *profile, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *rest, *suffix;
	unsigned long pid = strtoul(name, &rest, 10);

	profile->image = 1;
	if (isdigit((unsigned char)*name) && *rest == '.' && pid <= INT32_MAX) {
		profile->pid = pid;
		name = rest + 1;
	}
	profile->comm = strdup(name);
	if (!profile->comm)
		return -ENOMEM;
	suffix = strstr(profile->comm, ".pb");
	if (suffix)
		*suffix = '\0';
	return 0;
}

static int convert(struct reading *reading, const char *path)
{
	const Pprof__Profile *message = reading->message;
	struct profile *profile = reading->profile;
	int err = check_types(reading);

	if (err)
		return err;
	if (message->n_string_table && *message->string_table[0])
		return -EBADMSG;
	profile->alloc_only = message->n_sample_type != MEASURE_MAX;
	profile->sample_bytes = message->period > 1 ? message->period : 1;
	profile->start_unix_ns = message->time_nanos > 0 ? message->time_nanos : 0;
	profile->duration_ns = message->duration_nanos > 0 ? message->duration_nanos : 0;
	read_comments(reading);
	err = read_name(profile, path);
	err = err ? err : read_mappings(reading);
	err = err ? err : read_functions(reading);
	err = err ? err : read_locations(reading);
	err = err ? err : model_unpack(message->heaptap_model, profile);
	return err ? err : read_samples(reading);
}

int read_pprof(const char *path, struct profile **ret_profile)
{
	u64 left = MESSAGE_MAX;
	ProtobufCAllocator allocator = {.alloc = bounded_alloc, .free = bounded_free, .allocator_data = &left};
	struct reading reading = {0};
	size_t size;
	u8 *data = NULL;
	int err = gzip_read(path, &data, &size);

	if (err)
		goto out;
	reading.profile = calloc(1, sizeof(*reading.profile));
	if (!reading.profile) {
		err = -ENOMEM;
		goto out;
	}
	reading.message = pprof__profile__unpack(&allocator, size, data);
	err = reading.message ? convert(&reading, path) : -EBADMSG;
	if (err)
		goto out;
	reading.profile->origins = reading.origins.origins;
	reading.profile->origin_count = reading.origins.count;
	reading.origins.origins = NULL;
	reading.origins.count = 0;
	*ret_profile = reading.profile;
	reading.profile = NULL;
out:
	if (reading.message)
		pprof__profile__free_unpacked(reading.message, &allocator);
	profile_free(reading.profile);
	origin_table_release(&reading.origins);
	free(reading.mappings.rows);
	free(reading.functions.rows);
	free(reading.locations.rows);
	free(data);
	return err;
}
