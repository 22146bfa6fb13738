/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/stream.h"
#include "base/text.h"
#include "profile/estimate.h"
#include "view/code_label.h"

/* The reader takes signed 64-bit numbers only. */
static u64 saturated_add(u64 a, u64 b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static void raw_values(const struct profile *profile, const struct profile_sample *sample, u64 raw[MEASURE_MAX])
{
	u64 inuse_count = profile->alloc_only ? 0 : sample->inuse_count;

	estimate_scale(sample->alloc_count, sample->size, 1, &raw[ALLOC_OBJECTS], &raw[ALLOC_SPACE]);
	estimate_scale(inuse_count, sample->size, 1, &raw[INUSE_OBJECTS], &raw[INUSE_SPACE]);
}

static void print_values(const u64 raw[MEASURE_MAX], FILE *out)
{
	fprintf(out, "%" PRIu64 ": %" PRIu64 " [%" PRIu64 ": %" PRIu64 "] @", raw[INUSE_OBJECTS], raw[INUSE_SPACE],
		raw[ALLOC_OBJECTS], raw[ALLOC_SPACE]);
}

/* pprof assumes that a file whose totals agree has no alloc columns; one byte more tells it otherwise. */
static void print_header(const struct profile *profile, FILE *out)
{
	u64 total[MEASURE_MAX] = {0}, raw[MEASURE_MAX];

	for (u32 i = 0; i < profile->sample_count; i++) {
		raw_values(profile, &profile->samples[i], raw);
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			total[m] = saturated_add(total[m], raw[m]);
	}
	if (total[ALLOC_SPACE] == total[INUSE_SPACE])
		total[ALLOC_SPACE] += total[ALLOC_SPACE] < INT64_MAX ? 1 : -1;
	fputs("heap profile: ", out);
	print_values(total, out);
	fprintf(out, " heap/%" PRIu64 "\n", 2 * profile->sample_bytes);
}

/* --- records --- */

/* "name+0x12". Returns its length. `out` NULL: only compute it. */
static size_t print_function(const struct profile_location *location, const struct profile_line *line, FILE *out)
{
	char offset[24];
	size_t length = (size_t)snprintf(offset, sizeof(offset), "+0x%" PRIx64, location->function_offset);

	length += text_print_line(line->function, out);
	if (out)
		fputs(offset, out);
	return length;
}

static void print_line(const struct profile_location *location, const struct profile_line *line, size_t widest,
		       FILE *out)
{
	size_t length;

	fprintf(out, "#\t0x%" PRIx64 "\t", location->address);
	length = print_function(location, line, out);
	if (line->file) {
		/* TABs to the column after the widest, tab stops 8 apart, as Go's tabwriter does. */
		for (size_t stop = length / 8; stop < (widest + 8) / 8; stop++)
			fputc('\t', out);
		text_print_line(line->file, out);
		fprintf(out, ":%" PRIu32, line->line);
	}
	fputc('\n', out);
}

static void print_unnamed(const struct profile *profile, const struct profile_location *location, FILE *out)
{
	char text[CODE_LABEL_SIZE];

	fprintf(out, "#\t0x%" PRIx64, location->address);
	if (code_label(profile, location, text))
		fprintf(out, "\t%s", text);
	fputc('\n', out);
}

static void print_frames(const struct profile *profile, const struct profile_sample *sample, FILE *out)
{
	size_t widest = 0;

	for (u32 i = 0; i < sample->depth; i++) {
		const struct profile_location *location = &profile->locations[sample->location[i]];

		for (u32 j = 0; j < location->line_count; j++) {
			size_t length = print_function(location, &location->lines[j], NULL);

			widest = length > widest ? length : widest;
		}
	}
	for (u32 i = 0; i < sample->depth; i++) {
		const struct profile_location *location = &profile->locations[sample->location[i]];

		if (!location->line_count)
			print_unnamed(profile, location, out);
		for (u32 j = 0; j < location->line_count; j++)
			print_line(location, &location->lines[j], widest, out);
	}
}

static void print_record(const struct profile *profile, const struct profile_sample *sample, FILE *out)
{
	u64 raw[MEASURE_MAX];

	raw_values(profile, sample, raw);
	print_values(raw, out);
	for (u32 i = 0; i < sample->depth; i++)
		fprintf(out, " 0x%" PRIx64, profile->locations[sample->location[i]].address + 1);
	fputc('\n', out);
	print_frames(profile, sample, out);
	fputc('\n', out);
}

/* Most in use first, then most allocated; equal ones stay in the profile's order. */
static int compare_record(const void *a, const void *b, void *arg)
{
	const struct profile_sample *const *left = a, *const *right = b;
	u64 l[MEASURE_MAX], r[MEASURE_MAX];

	raw_values(arg, *left, l);
	raw_values(arg, *right, r);
	if (l[INUSE_SPACE] != r[INUSE_SPACE])
		return l[INUSE_SPACE] > r[INUSE_SPACE] ? -1 : 1;
	if (l[ALLOC_SPACE] != r[ALLOC_SPACE])
		return l[ALLOC_SPACE] > r[ALLOC_SPACE] ? -1 : 1;
	return *left < *right ? -1 : *left > *right;
}

static int print_records(const struct profile *profile, FILE *out)
{
	const struct profile_sample **sorted = calloc(profile->sample_count + 1UL, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (u32 i = 0; i < profile->sample_count; i++)
		sorted[i] = &profile->samples[i];
	qsort_r(sorted, profile->sample_count, sizeof(*sorted), compare_record, (void *)profile);
	for (u32 i = 0; i < profile->sample_count; i++)
		print_record(profile, sorted[i], out);
	free(sorted);
	return 0;
}

/* --- tail --- */

static void print_stat(const char *key, u64 value, FILE *out)
{
	fprintf(out, "# %s = %" PRIu64 "\n", key, value);
}

/* A profile of another program may have more in use than was allocated. */
static u64 freed_objects(const u64 total[MEASURE_MAX])
{
	return total[ALLOC_OBJECTS] > total[INUSE_OBJECTS] ? total[ALLOC_OBJECTS] - total[INUSE_OBJECTS] : 0;
}

/* Only what is known: without free probes nothing about in-use. */
static void print_memstats(const struct profile *profile, FILE *out)
{
	u64 total[MEASURE_MAX];

	profile_totals(profile, total);
	fputs("\n# runtime.MemStats\n", out);
	if (!profile->alloc_only)
		print_stat("Alloc", total[INUSE_SPACE], out);
	print_stat("TotalAlloc", total[ALLOC_SPACE], out);
	print_stat("Mallocs", total[ALLOC_OBJECTS], out);
	if (!profile->alloc_only) {
		print_stat("Frees", freed_objects(total), out);
		print_stat("HeapAlloc", total[INUSE_SPACE], out);
		print_stat("HeapObjects", total[INUSE_OBJECTS], out);
	}
	if (profile->model.known) {
		print_stat("NextGC", (u64)profile->model.goal_bytes, out);
		print_stat("NumGC", profile->model.cycles + (u64)profile->model.requests, out);
		print_stat("NumForcedGC", profile->model.requests, out);
	}
	if (profile->rss_peak_bytes)
		print_stat("MaxRSS", profile->rss_peak_bytes, out);
}

static void print_mappings(const struct profile *profile, FILE *out)
{
	fputs("\nMAPPED_LIBRARIES:\n", out);
	for (u32 i = 0; i < profile->mapping_count; i++) {
		const struct profile_mapping *mapping = &profile->mappings[i];
		const char *path = mapping->path ? mapping->path : "";

		fprintf(out, "%08" PRIx64 "-%08" PRIx64 " r-xp %08" PRIx64 " %02x:%02x %" PRIu64 "%s", mapping->start,
			mapping->end, mapping->file_offset, major(mapping->device), minor(mapping->device),
			mapping->inode, *path ? " " : "");
		text_print_line(path, out);
		fputc('\n', out);
	}
}

int text_write(const struct profile *profile, FILE *out)
{
	int err;

	print_header(profile, out);
	err = print_records(profile, out);
	if (err)
		return err;
	print_memstats(profile, out);
	print_mappings(profile, out);
	return stream_flush(out);
}
