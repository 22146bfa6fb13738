/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses the text format line by line and strictly: a line that is none of the documented ones fails the test. */
#include "text_profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS "%" SCNu64 ": %" SCNu64 " [%" SCNu64 ": %" SCNu64 "] @"

static bool parse_header(const char *line, struct text_profile *profile)
{
	int end = 0;

	sscanf(line, "heap profile: " NUMBERS " heap/%" SCNu64 "%n", &profile->inuse_objects, &profile->inuse_bytes,
	       &profile->alloc_objects, &profile->alloc_bytes, &profile->twice_interval, &end);
	return end && line[end] == '\n';
}

static struct text_record *parse_record(const char *line, struct text_profile *profile)
{
	struct text_record *record;
	int end = 0;

	profile->records = realloc(profile->records, (profile->count + 1) * sizeof(*record));
	if (!profile->records)
		abort();
	record = memset(&profile->records[profile->count], 0, sizeof(*record));
	sscanf(line, NUMBERS "%n", &record->inuse_objects, &record->inuse_bytes, &record->alloc_objects,
	       &record->alloc_bytes, &end);
	if (!end)
		return NULL;
	profile->count++;
	for (line += end; *line == ' ' && record->pc_count < TEXT_DEPTH_MAX;) {
		char *next;

		record->pc[record->pc_count++] = strtoull(line + 1, &next, 16);
		if (next == line + 1)
			return NULL;
		line = next;
	}
	return *line == '\n' ? record : NULL;
}

/* "#\t0xPC\tfunction+0xOFFSET\tfile:line", or the PC alone; tabs repeat. */
static bool parse_frame(char *line, struct text_record *record)
{
	struct text_frame *frame;
	char *pc, *function, *place, *cut, *rest = NULL;

	pc = strtok_r(line + 1, "\t\n", &rest);
	function = strtok_r(NULL, "\t\n", &rest);
	place = strtok_r(NULL, "\t\n", &rest);
	if (!record || !pc || strncmp(pc, "0x", 2))
		return false;
	record->frames = realloc(record->frames, (record->frame_count + 1) * sizeof(*frame));
	if (!record->frames)
		abort();
	frame = &record->frames[record->frame_count++];
	*frame = (struct text_frame){.pc = strtoull(pc, NULL, 16)};
	cut = function ? strrchr(function, '+') : NULL;
	frame->function = function ? strndup(function, cut ? (size_t)(cut - function) : strlen(function)) : strdup("");
	cut = place ? strrchr(place, ':') : NULL;
	frame->file = place ? strndup(place, cut ? (size_t)(cut - place) : strlen(place)) : strdup("");
	frame->line = cut ? strtoul(cut + 1, NULL, 10) : 0;
	return true;
}

enum section {
	SECTION_HEADER,
	SECTION_RECORDS,
	SECTION_STATISTICS,
	SECTION_MAPPINGS
};

static bool parse_line(char *line, enum section *section, struct text_profile *profile)
{
	static struct text_record *record;

	if (*section == SECTION_HEADER) {
		*section = SECTION_RECORDS;
		record = NULL;
		return parse_header(line, profile);
	}
	if (!strcmp(line, "\n"))
		return true;
	if (!strcmp(line, "# runtime.MemStats\n")) {
		*section = SECTION_STATISTICS;
		return true;
	}
	if (!strcmp(line, "MAPPED_LIBRARIES:\n")) {
		*section = SECTION_MAPPINGS;
		return true;
	}
	if (*section == SECTION_MAPPINGS)
		return ++profile->mapping_count && strchr(line, '-');
	if (*section == SECTION_STATISTICS)
		return !strncmp(line, "# ", 2) && strstr(line, " = ");
	if (*line == '#')
		return parse_frame(line, record);
	record = parse_record(line, profile);
	return record;
}

int text_profile_read(const char *path, struct text_profile *ret_profile)
{
	struct text_profile profile = {0};
	enum section section = SECTION_HEADER;
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int error = 0;

	if (!file)
		return -errno;
	while (!error && getline(&line, &size, file) > 0) {
		char *copy = strdup(line);

		if (!parse_line(line, &section, &profile)) {
			fprintf(stderr, "%s: not understood: %s", path, copy);
			error = -EBADMSG;
		}
		free(copy);
	}
	if (!error && section == SECTION_HEADER)
		error = -EBADMSG;
	free(line);
	fclose(file);
	if (error)
		text_profile_release(&profile);
	else
		*ret_profile = profile;
	return error;
}

void text_profile_release(struct text_profile *profile)
{
	for (size_t i = 0; i < profile->count; i++) {
		for (unsigned int j = 0; j < profile->records[i].frame_count; j++) {
			free(profile->records[i].frames[j].function);
			free(profile->records[i].frames[j].file);
		}
		free(profile->records[i].frames);
	}
	free(profile->records);
	*profile = (struct text_profile){0};
}

static uint64_t first_outside(const struct text_record *record, uint64_t skip_start, uint64_t skip_end)
{
	for (unsigned int i = 0; i < record->pc_count; i++) {
		if (record->pc[i] < skip_start || record->pc[i] >= skip_end)
			return record->pc[i];
	}
	return 0;
}

void text_profile_tally(const struct text_profile *profile, uint64_t skip_start, uint64_t skip_end,
			struct tally *ret_tally)
{
	struct tally tally = {0};

	for (size_t i = 0; i < profile->count; i++) {
		const struct text_record *record = &profile->records[i];

		if (record->alloc_objects)
			tally_add(&tally, first_outside(record, skip_start, skip_end),
				  record->alloc_bytes / record->alloc_objects, record->alloc_objects,
				  record->inuse_objects);
	}
	tally_merge(&tally);
	*ret_tally = tally;
}
