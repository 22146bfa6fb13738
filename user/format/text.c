/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Go's heap profile at debug=1: raw counts, which `go tool pprof` unsamples as it reads, names in comment lines for
 * people, and the executable mappings by which pprof finds names of its own. Called by output_file.c and `heaptap report`.
 */
#include "format/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "format/site_label.h"
#include "base/stream.h"
#include "base/text.h"

/* What one record shows; the reader takes signed 64-bit numbers only. */
struct tally_text {
	u64 inuse_objects, inuse_bytes, alloc_objects, alloc_bytes;
};

static u64 saturated_add(u64 a, u64 b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static u64 saturated_product(u64 a, u64 b)
{
	u64 product;

	return __builtin_mul_overflow(a, b, &product) || product > INT64_MAX ? INT64_MAX : product;
}

static struct tally_text raw_tally(const struct profile *profile, const struct profile_sample *sample)
{
	u64 inuse = profile->alloc_only ? 0 : sample->inuse_count;

	return (struct tally_text){
		.inuse_objects = inuse,
		.inuse_bytes = saturated_product(inuse, sample->size),
		.alloc_objects = sample->alloc_count,
		.alloc_bytes = saturated_product(sample->alloc_count, sample->size),
	};
}

static void print_tally(const struct tally_text *tally, FILE *out)
{
	fprintf(out, "%" PRIu64 ": %" PRIu64 " [%" PRIu64 ": %" PRIu64 "] @", tally->inuse_objects, tally->inuse_bytes,
		tally->alloc_objects, tally->alloc_bytes);
}

/* pprof takes a file whose totals agree for one that has no alloc columns at all; one byte keeps them apart. */
static void print_header(const struct profile *profile, FILE *out)
{
	struct tally_text total = {0};

	for (u32 i = 0; i < profile->sample_count; i++) {
		struct tally_text one = raw_tally(profile, &profile->samples[i]);

		total.inuse_objects = saturated_add(total.inuse_objects, one.inuse_objects);
		total.inuse_bytes = saturated_add(total.inuse_bytes, one.inuse_bytes);
		total.alloc_objects = saturated_add(total.alloc_objects, one.alloc_objects);
		total.alloc_bytes = saturated_add(total.alloc_bytes, one.alloc_bytes);
	}
	if (total.alloc_bytes == total.inuse_bytes)
		total.alloc_bytes += total.alloc_bytes < INT64_MAX ? 1 : -1;
	fputs("heap profile: ", out);
	print_tally(&total, out);
	fprintf(out, " heap/%" PRIu64 "\n", 2 * profile->sample_bytes);
}

/* --- records --- */

struct cell {
	char *function; /* "name+0x12" */
	char *place;	/* "file:line", NULL when unknown */
};

static void cell_release(struct cell *cell)
{
	free(cell->function);
	free(cell->place);
}

static int cell_init(struct cell *cell, const struct profile_location *location, const struct profile_line *line)
{
	char *function = text_clean_line(line->function);
	char *file = line->file ? text_clean_line(line->file) : NULL;
	int err = 0;

	*cell = (struct cell){0};
	if (!function || (line->file && !file))
		err = -ENOMEM;
	else if (asprintf(&cell->function, "%s+0x%" PRIx64, function, location->function_offset) < 0)
		err = -ENOMEM;
	else if (file && asprintf(&cell->place, "%s:%" PRIu32, file, line->line) < 0)
		err = -ENOMEM;
	if (err)
		*cell = (struct cell){0};
	free(function);
	free(file);
	return err;
}

/* TABs that bring `text` to the column after the widest of its neighbours, tab stops 8 apart, as Go's tabwriter does.
 */
static void print_padding(const char *text, size_t widest, FILE *out)
{
	size_t stop = (widest + 8) / 8;

	for (size_t at = strlen(text) / 8; at < stop; at++)
		fputc('\t', out);
}

static void print_unnamed(const struct profile *profile, const struct profile_location *location, FILE *out)
{
	char text[SITE_LABEL_CODE_SIZE];

	fprintf(out, "#\t0x%" PRIx64, location->address);
	if (site_label_code(profile, location, text))
		fprintf(out, "\t%s", text);
	fputc('\n', out);
}

static void print_cells(const struct profile_location *location, const struct cell *cells, size_t widest, FILE *out)
{
	for (u32 i = 0; i < location->line_count; i++) {
		fprintf(out, "#\t0x%" PRIx64 "\t%s", location->address, cells[i].function);
		if (cells[i].place) {
			print_padding(cells[i].function, widest, out);
			fputs(cells[i].place, out);
		}
		fputc('\n', out);
	}
}

static u32 count_lines(const struct profile *profile, const struct profile_sample *sample)
{
	u32 count = 0;

	for (u32 i = 0; i < sample->depth; i++)
		count += profile->locations[sample->location[i]].line_count;
	return count;
}

static int print_frames(const struct profile *profile, const struct profile_sample *sample, FILE *out)
{
	struct cell *cells = calloc(count_lines(profile, sample) + 1UL, sizeof(*cells)), *at;
	size_t widest = 0;
	u32 made = 0;
	int err = cells ? 0 : -ENOMEM;

	for (u32 i = 0; !err && i < sample->depth; i++) {
		const struct profile_location *location = &profile->locations[sample->location[i]];

		for (u32 j = 0; !err && j < location->line_count; j++) {
			err = cell_init(&cells[made], location, &location->lines[j]);
			if (!err && strlen(cells[made].function) > widest)
				widest = strlen(cells[made].function);
			made += !err;
		}
	}
	at = cells;
	for (u32 i = 0; !err && i < sample->depth; i++) {
		const struct profile_location *location = &profile->locations[sample->location[i]];

		if (!location->line_count)
			print_unnamed(profile, location, out);
		print_cells(location, at, widest, out);
		at += location->line_count;
	}
	while (made)
		cell_release(&cells[--made]);
	free(cells);
	return err;
}

static int print_record(const struct profile *profile, const struct profile_sample *sample, FILE *out)
{
	struct tally_text tally = raw_tally(profile, sample);
	int err;

	print_tally(&tally, out);
	for (u32 i = 0; i < sample->depth; i++)
		fprintf(out, " 0x%" PRIx64, profile->locations[sample->location[i]].address + 1);
	fputc('\n', out);
	err = print_frames(profile, sample, out);
	fputc('\n', out);
	return err;
}

/* Most in use first, then most allocated; equal ones stay in the profile's order. */
static int compare_record(const void *a, const void *b, void *arg)
{
	const struct profile_sample *const *left = a, *const *right = b;
	struct tally_text l = raw_tally(arg, *left), r = raw_tally(arg, *right);

	if (l.inuse_bytes != r.inuse_bytes)
		return l.inuse_bytes > r.inuse_bytes ? -1 : 1;
	if (l.alloc_bytes != r.alloc_bytes)
		return l.alloc_bytes > r.alloc_bytes ? -1 : 1;
	return *left < *right ? -1 : *left > *right;
}

static int print_records(const struct profile *profile, FILE *out)
{
	const struct profile_sample **sorted;
	int err = 0;

	sorted = calloc(profile->sample_count + 1UL, sizeof(const struct profile_sample *));
	if (!sorted)
		return -ENOMEM;
	for (u32 i = 0; i < profile->sample_count; i++)
		sorted[i] = &profile->samples[i];
	qsort_r(sorted, profile->sample_count, sizeof(const struct profile_sample *), compare_record, (void *)profile);
	for (u32 i = 0; !err && i < profile->sample_count; i++)
		err = print_record(profile, sorted[i], out);
	free(sorted);
	return err;
}

/* --- tail --- */

static void print_stat(const char *key, u64 value, FILE *out)
{
	fprintf(out, "# %s = %" PRIu64 "\n", key, value);
}

/* Only what is known: without free probes nothing about what lives. */
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
		print_stat("Frees", total[ALLOC_OBJECTS] - total[INUSE_OBJECTS], out);
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

static int print_mappings(const struct profile *profile, FILE *out)
{
	fputs("\nMAPPED_LIBRARIES:\n", out);
	for (u32 i = 0; i < profile->mapping_count; i++) {
		const struct profile_mapping *mapping = &profile->mappings[i];
		char *path = text_clean_line(mapping->path ? mapping->path : "");

		if (!path)
			return -ENOMEM;
		fprintf(out, "%08" PRIx64 "-%08" PRIx64 " r-xp %08" PRIx64 " %02x:%02x %" PRIu64 "%s%s\n",
			mapping->start, mapping->end, mapping->file_offset, major(mapping->device),
			minor(mapping->device), mapping->inode, *path ? " " : "", path);
		free(path);
	}
	return 0;
}

int text_write(const struct profile *profile, FILE *out)
{
	int err;

	print_header(profile, out);
	err = print_records(profile, out);
	if (err)
		return err;
	print_memstats(profile, out);
	err = print_mappings(profile, out);
	return err ? err : stream_flush(out);
}
