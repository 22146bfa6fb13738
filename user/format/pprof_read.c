/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unzip, unpack, check, convert. The file may be hostile: every id and string index is checked before its use. */
#include "format/pprof_read.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/gzip.h"
#include "profile/ledger.h"
#include "format/pprof_lifetime.h"
#include "profile/labels.h"
#include "format/pprof_message.h"
#include "profile/estimate.h"

/* The ids that messages of one kind are referred to by, sorted, with the place of each in its array. */
struct id_map {
	struct id_row {
		u64 id;
		u32 index;
	} * rows;
	size_t count;
};

struct reading {
	struct pprof_message message;
	struct id_map mappings, functions, locations;
	struct label_table labels;
	struct profile *profile;
};

/* Go's four sample types in Go's order, or the first two. */
static int check_types(const struct reading *reading)
{
	const Pprof__Profile *message = reading->message.profile;

	if (message->n_sample_type != MEASURE_MAX && message->n_sample_type != INUSE_OBJECTS)
		return -EPROTO;
	for (size_t i = 0; i < message->n_sample_type; i++)
		if (!pprof_message_string_is(&reading->message, message->sample_type[i]->type,
					     profile_measure_names[i]) ||
		    !pprof_message_string_is(&reading->message, message->sample_type[i]->unit,
					     measure_is_space(i) ? "bytes" : "count"))
			return -EPROTO;
	return 0;
}

/* --- ids --- */

static int id_compare(const void *a, const void *b)
{
	const struct id_row *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* The id of a message that has one is its first field. 0; -EBADMSG: an id is 0 or stands twice; -ENOMEM. */
static int id_map_make(struct id_map *map, void *messages, size_t count)
{
	char *const *message = messages;

	map->rows = calloc(count + 1, sizeof(*map->rows));
	if (!map->rows)
		return -ENOMEM;
	for (map->count = 0; map->count < count; map->count++)
		map->rows[map->count] = (struct id_row){
			.id = *(const u64 *)(message[map->count] + offsetof(Pprof__Mapping, id)), .index = map->count};
	qsort(map->rows, count, sizeof(*map->rows), id_compare);
	for (size_t i = 0; i < count; i++)
		if (!map->rows[i].id || (i && map->rows[i].id == map->rows[i - 1].id))
			return -EBADMSG;
	return 0;
}

_Static_assert(offsetof(Pprof__Function, id) == offsetof(Pprof__Mapping, id) &&
		       offsetof(Pprof__Location, id) == offsetof(Pprof__Mapping, id),
	       "one table serves all three");

static bool id_map_find(const struct id_map *map, u64 id, u32 *ret_index)
{
	const struct id_row key = {.id = id};
	const struct id_row *row = bsearch(&key, map->rows, map->count, sizeof(*map->rows), id_compare);

	if (row)
		*ret_index = row->index;
	return row;
}

/* --- code --- */

/* Hexadecimal text to at most 20 bytes. Returns their number, 0 for any other text. */
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
	const Pprof__Profile *message = reading->message.profile;
	struct profile *profile = reading->profile;
	int err = 0;

	profile->mappings = calloc(message->n_mapping + 1, sizeof(*profile->mappings));
	if (!profile->mappings)
		return -ENOMEM;
	for (size_t i = 0; i < message->n_mapping; i++) {
		const Pprof__Mapping *from = message->mapping[i];
		struct profile_mapping *to = &profile->mappings[profile->mapping_count++];
		const char *build_id = pprof_message_string(&reading->message, from->build_id);

		err = pprof_message_copy_string(&reading->message, from->filename, &to->path);
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
	return id_map_make(&reading->mappings, message->mapping, message->n_mapping);
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

	if (!id_map_find(&reading->functions, from->function_id, &index))
		return -EBADMSG;
	function = reading->message.profile->function[index];
	err = pprof_message_copy_string(&reading->message, function->name, &to->function);
	err = err ? err : pprof_message_copy_string(&reading->message, function->system_name, &to->system_name);
	err = err ? err : pprof_message_copy_string(&reading->message, function->filename, &to->file);
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
	if (from->mapping_id && !id_map_find(&reading->mappings, from->mapping_id, &to->mapping))
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
	const Pprof__Profile *message = reading->message.profile;
	struct profile *profile = reading->profile;
	int err = id_map_make(&reading->functions, message->function, message->n_function);

	profile->locations = calloc(message->n_location + 1, sizeof(*profile->locations));
	if (!profile->locations)
		return -ENOMEM;
	for (size_t i = 0; !err && i < message->n_location; i++)
		err = read_location(reading, message->location[i], &profile->locations[profile->location_count++]);
	return err ? err : id_map_make(&reading->locations, message->location, message->n_location);
}

/* --- samples --- */

/* The block size (the label "bytes", else the mean of what was allocated) and heaptap's own labels. Others are ignored. */
static int read_labels(struct reading *reading, const Pprof__Sample *from, struct profile_sample *to)
{
	const struct pprof_message *message = &reading->message;
	struct profile_labels labels = {0};

	to->size = from->value[ALLOC_OBJECTS] ? from->value[ALLOC_SPACE] / from->value[ALLOC_OBJECTS] : 0;
	for (size_t i = 0; i < from->n_label; i++) {
		const Pprof__Label *label = from->label[i];
		char *text = (char *)pprof_message_string(message, label->str);

		if (!text)
			return -EBADMSG;
		if (pprof_message_string_is(message, label->key, "bytes") && !label->str) {
			if (label->num < 0)
				return -EBADMSG;
			to->size = label->num;
		} else if (pprof_message_string_is(message, label->key, "pid") && label->num > 0 &&
			   label->num <= INT32_MAX)
			labels.pid = label->num;
		else if (pprof_message_string_is(message, label->key, "comm") && *text)
			labels.comm = text;
		else if (pprof_message_string_is(message, label->key, "container") && *text)
			labels.container = text;
		else if (pprof_message_string_is(message, label->key, "container_id") && *text)
			labels.container_id = text;
	}
	return labels_add(&reading->labels, &labels, &to->labels);
}

static int read_sample(struct reading *reading, const Pprof__Sample *from, struct profile_sample *to)
{
	const struct profile *profile = reading->profile;
	int err;

	if (from->n_value != reading->message.profile->n_sample_type)
		return -EBADMSG;
	for (size_t i = 0; i < from->n_value; i++)
		if (from->value[i] < 0)
			return -EBADMSG;
	err = read_labels(reading, from, to);
	if (err)
		return err;
	to->location = calloc(from->n_location_id + 1, sizeof(*to->location));
	if (!to->location)
		return -ENOMEM;
	for (; to->depth < from->n_location_id; to->depth++)
		if (!id_map_find(&reading->locations, from->location_id[to->depth], &to->location[to->depth]))
			return -EBADMSG;
	to->alloc_count = estimate_unscale(from->value[ALLOC_OBJECTS], to->size, profile->sample_bytes);
	if (!profile->alloc_only)
		to->inuse_count = estimate_unscale(from->value[INUSE_OBJECTS], to->size, profile->sample_bytes);
	return pprof_lifetime_unpack(from->heaptap_lifetime, profile, to);
}

static int read_samples(struct reading *reading)
{
	const Pprof__Profile *message = reading->message.profile;
	struct profile *profile = reading->profile;
	int err = 0;

	profile->samples = calloc(message->n_sample + 1, sizeof(*profile->samples));
	if (!profile->samples)
		return -ENOMEM;
	for (size_t i = 0; !err && i < message->n_sample; i++)
		err = read_sample(reading, message->sample[i], &profile->samples[profile->sample_count++]);
	return err;
}

/* The losses that pprof_write leaves as comments, "heaptap: lost_ring=3"; comments of others are ignored. */
static void read_comments(const struct reading *reading)
{
	const struct pprof_message *message = &reading->message;

	for (size_t i = 0; i < message->profile->n_comment; i++) {
		const char *text = pprof_message_string(message, message->profile->comment[i]);
		enum counter counter = COUNTER_MAX;
		char name[32];
		u64 value;

		if (text && sscanf(text, "heaptap: %31[^=]=%" SCNu64, name, &value) == 2)
			counter = ledger_find(name);
		if (counter < COUNTER_MAX)
			reading->profile->ledger[counter] = value;
	}
}

/* The process is known from the file's name, <pid>.<comm>[-N][.SEQ].pb.gz. Any other name is taken as it is. */
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
	const Pprof__Profile *message = reading->message.profile;
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
	err = err ? err : read_locations(reading);
	err = err ? err : pprof_model_unpack(message->heaptap_model, profile);
	return err ? err : read_samples(reading);
}

int pprof_read(const char *path, struct profile **ret_profile)
{
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
	err = pprof_message_unpack(data, size, &reading.message);
	err = err ? err : convert(&reading, path);
	if (err)
		goto out;
	reading.profile->labels = reading.labels.sets;
	reading.profile->label_count = reading.labels.count;
	reading.labels.sets = NULL;
	reading.labels.count = 0;
	*ret_profile = reading.profile;
	reading.profile = NULL;
out:
	pprof_message_release(&reading.message);
	profile_free(reading.profile);
	label_table_release(&reading.labels);
	free(reading.mappings.rows);
	free(reading.functions.rows);
	free(reading.locations.rows);
	free(data);
	return err;
}
