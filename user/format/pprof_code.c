/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every id and string index is checked before its use. */
#include "format/pprof_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/sites.h"
#include "view/code_label.h"

/* A function's names are looked up once, however many lines are in it. */
struct pprof_function {
	char *name, *system_name, *file;
	u32 start_line;
	enum frame_role role;
};

struct reading {
	struct pprof_message *message;
	struct profile *profile;
	struct pprof_code *code;
};

/* --- ids --- */

static int id_compare(const void *a, const void *b)
{
	const struct pprof_id *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int ids_make(struct pprof_message *message, enum pprof_table table, struct pprof_ids *ids)
{
	u64 count = message->count[table] + 1;
	int err = pprof_message_spend(message, count, sizeof(*ids->rows));

	if (err)
		return err;
	ids->rows = calloc(count, sizeof(*ids->rows));
	return ids->rows ? 0 : -ENOMEM;
}

static void ids_add(struct pprof_ids *ids, u64 id)
{
	ids->rows[ids->count] = (struct pprof_id){.id = id, .index = (u32)ids->count};
	ids->count++;
}

/* 0; -EBADMSG: an id is 0 or stands twice. */
static int ids_sort(struct pprof_ids *ids)
{
	qsort(ids->rows, ids->count, sizeof(*ids->rows), id_compare);
	for (size_t i = 0; i < ids->count; i++)
		if (!ids->rows[i].id || (i && ids->rows[i].id == ids->rows[i - 1].id))
			return -EBADMSG;
	return 0;
}

static bool ids_find(const struct pprof_ids *ids, u64 id, u32 *ret_index)
{
	const struct pprof_id key = {.id = id};
	const struct pprof_id *row = bsearch(&key, ids->rows, ids->count, sizeof(*ids->rows), id_compare);

	if (row)
		*ret_index = row->index;
	return row;
}

bool pprof_code_location(const struct pprof_code *code, u64 id, u32 *ret_index)
{
	return ids_find(&code->locations, id, ret_index);
}

/* --- mappings --- */

/* Hexadecimal text to at most 20 bytes. Returns their number, 0 for any other text. */
static u8 parse_build_id(const char *text, u8 build_id[20])
{
	size_t length = strlen(text);

	if (length % 2 || length > 40 || strspn(text, "0123456789abcdefABCDEF") != length)
		return 0;
	for (size_t i = 0; i < length / 2; i++) {
		const char digits[3] = {text[2 * i], text[2 * i + 1], 0};

		build_id[i] = (u8)strtoul(digits, NULL, 16);
	}
	return (u8)(length / 2);
}

static int read_mapping(const void *entry, void *arg)
{
	const struct reading *reading = arg;
	struct profile *profile = reading->profile;
	const Pprof__Mapping *from = entry;
	struct profile_mapping *to = &profile->mappings[profile->mapping_count++];
	char build_id[PROFILE_BUILD_ID_SIZE + 1], *path;
	int err = pprof_message_text(reading->message, from->filename, profile, &path);

	err = err ? err : pprof_message_spend(reading->message, 1, path ? strlen(path) : 0);
	if (err)
		return err;
	if (!pprof_message_copy(reading->message, from->build_id, build_id, sizeof(build_id)))
		return -EBADMSG;
	to->path = strdup(path ? path : "");
	if (!to->path)
		return -ENOMEM;
	to->start = from->memory_start;
	to->end = from->memory_limit;
	to->file_offset = from->file_offset;
	to->build_id_size = parse_build_id(build_id, to->build_id);
	to->has_functions = from->has_functions;
	to->has_filenames = from->has_filenames;
	to->has_line_numbers = from->has_line_numbers;
	to->has_inline_frames = from->has_inline_frames;
	ids_add(&reading->code->mappings, from->id);
	return 0;
}

static int read_mappings(struct reading *reading)
{
	struct profile *profile = reading->profile;
	u64 count = reading->message->count[PPROF_MAPPINGS] + 1;
	int err = pprof_message_spend(reading->message, count, sizeof(*profile->mappings));

	err = err ? err : ids_make(reading->message, PPROF_MAPPINGS, &reading->code->mappings);
	if (err)
		return err;
	profile->mappings = calloc(count, sizeof(*profile->mappings));
	if (!profile->mappings)
		return -ENOMEM;
	err = pprof_message_each(reading->message, PPROF_MAPPINGS, read_mapping, reading);
	return err ? err : ids_sort(&reading->code->mappings);
}

/* --- functions --- */

static u32 line_number(s64 line)
{
	return line < 0 || line > UINT32_MAX ? 0 : (u32)line;
}

static int read_function(const void *entry, void *arg)
{
	const struct reading *reading = arg;
	struct pprof_message *message = reading->message;
	struct profile *profile = reading->profile;
	const Pprof__Function *from = entry;
	struct pprof_function *to = &reading->code->names[reading->code->name_count++];
	int err = pprof_message_text(message, from->name, profile, &to->name);

	err = err ? err : pprof_message_text(message, from->system_name, profile, &to->system_name);
	err = err ? err : pprof_message_text(message, from->filename, profile, &to->file);
	/* Some producers fill only one of the names. */
	if (!err && !to->name)
		err = profile_text(profile, to->system_name ? to->system_name : "", &to->name);
	if (!to->system_name)
		to->system_name = to->name;
	to->start_line = line_number(from->start_line);
	to->role = from->heaptap_wrapper ? FRAME_WRAPPER : FRAME_PROGRAM;
	ids_add(&reading->code->functions, from->id);
	return err;
}

static int read_functions(struct reading *reading)
{
	u64 count = reading->message->count[PPROF_FUNCTIONS] + 1;
	int err = pprof_message_spend(reading->message, count, sizeof(*reading->code->names));

	err = err ? err : ids_make(reading->message, PPROF_FUNCTIONS, &reading->code->functions);
	if (err)
		return err;
	reading->code->names = calloc(count, sizeof(*reading->code->names));
	if (!reading->code->names)
		return -ENOMEM;
	err = pprof_message_each(reading->message, PPROF_FUNCTIONS, read_function, reading);
	return err ? err : ids_sort(&reading->code->functions);
}

/* --- locations --- */

static int read_line(const struct pprof_code *code, const Pprof__Line *from, struct profile_line *to)
{
	const struct pprof_function *function;
	u32 index;

	if (!ids_find(&code->functions, from->function_id, &index))
		return -EBADMSG;
	function = &code->names[index];
	*to = (struct profile_line){
		.function = function->name,
		.system_name = function->system_name,
		.file = function->file,
		.line = line_number(from->line),
		.start_line = function->start_line,
		.role = function->role,
	};
	return 0;
}

static int read_location(const void *entry, void *arg)
{
	const struct reading *reading = arg;
	const Pprof__Location *from = entry;
	struct profile_location *to = &reading->profile->locations[reading->profile->location_count++];
	int err = pprof_message_spend(reading->message, from->n_line + 1, sizeof(*to->lines));

	if (err)
		return err;
	to->address = from->address;
	to->mapping = MAPPING_UNKNOWN;
	ids_add(&reading->code->locations, from->id);
	if (from->mapping_id && !ids_find(&reading->code->mappings, from->mapping_id, &to->mapping))
		return -EBADMSG;
	to->lines = calloc(from->n_line + 1, sizeof(*to->lines));
	if (!to->lines)
		return -ENOMEM;
	for (; !err && to->line_count < from->n_line; to->line_count++)
		err = read_line(reading->code, from->line[to->line_count], &to->lines[to->line_count]);
	if (!err && to->line_count == 1 && code_label_is_bracketed(reading->profile, to, to->lines[0].function))
		to->line_count = 0;
	return err;
}

/* Each location may be a site of its own, in the tables that are made of a profile. */
static int read_locations(struct reading *reading)
{
	struct profile *profile = reading->profile;
	u64 count = reading->message->count[PPROF_LOCATIONS] + 1;
	int err =
		pprof_message_spend(reading->message, count, sizeof(*profile->locations) + sizeof(struct profile_site));

	err = err ? err : ids_make(reading->message, PPROF_LOCATIONS, &reading->code->locations);
	if (err)
		return err;
	profile->locations = calloc(count, sizeof(*profile->locations));
	if (!profile->locations)
		return -ENOMEM;
	err = pprof_message_each(reading->message, PPROF_LOCATIONS, read_location, reading);
	return err ? err : ids_sort(&reading->code->locations);
}

int pprof_code_read(struct pprof_message *message, struct profile *profile, struct pprof_code *code)
{
	struct reading reading = {message, profile, code};
	int err = read_mappings(&reading);

	err = err ? err : read_functions(&reading);
	return err ? err : read_locations(&reading);
}

void pprof_code_release(struct pprof_code *code)
{
	free(code->mappings.rows);
	free(code->functions.rows);
	free(code->locations.rows);
	free(code->names);
}
