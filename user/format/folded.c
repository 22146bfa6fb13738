/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line a stack, root first, as flame graph tools eat it: "main;parse;grow 4096". Sizes are merged, inlined frames
 * are frames. Called by output_file.c and `heaptap report`.
 */
#include "format/folded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/site_label.h"
#include "base/stream.h"
#include "base/text.h"

struct folded {
	char *stack;
	u64 value;
};

/* ';' separates frames; the value follows the last space, so spaces inside names are harmless. */
static char *frame_name(const char *function)
{
	char *name = text_clean_line(function);

	for (char *at = name; at && *at; at++)
		if (*at == ';')
			*at = ':';
	return name;
}

static void print_unnamed(const struct profile *profile, const struct profile_location *location, FILE *out)
{
	char text[SITE_LABEL_CODE_SIZE];

	site_label_code(profile, location, text);
	for (char *at = text; (at = strchr(at, ';')); at++)
		*at = ':';
	fputs(text, out);
}

static int print_location(const struct profile *profile, const struct profile_location *location, FILE *out)
{
	if (!location->line_count)
		print_unnamed(profile, location, out);
	for (u32 i = location->line_count; i-- > 0;) {
		char *name = frame_name(location->lines[i].function);

		if (!name)
			return -ENOMEM;
		fprintf(out, "%s%s", name, i ? ";" : "");
		free(name);
	}
	return 0;
}

static int fold(const struct profile *profile, const struct profile_sample *sample, char **ret_stack)
{
	char *stack = NULL;
	size_t size;
	FILE *out = open_memstream(&stack, &size);
	int err = 0;

	if (!out)
		return -ENOMEM;
	if (!sample->depth)
		fputs("[unknown]", out);
	for (u32 i = sample->depth; !err && i-- > 0;) {
		err = print_location(profile, &profile->locations[sample->location[i]], out);
		if (i)
			fputc(';', out);
	}
	if (fclose(out))
		err = -ENOMEM;
	if (err)
		free(stack);
	else
		*ret_stack = stack;
	return err;
}

static int compare_folded(const void *a, const void *b)
{
	const struct folded *left = a, *right = b;

	return strcmp(left->stack, right->stack);
}

static void print_merged(const struct folded *lines, u32 count, FILE *out)
{
	for (u32 i = 0; i < count;) {
		const char *stack = lines[i].stack;
		u64 value = 0;

		for (; i < count && !strcmp(lines[i].stack, stack); i++)
			value += lines[i].value;
		fprintf(out, "%s %" PRIu64 "\n", stack, value);
	}
}

int folded_write(const struct profile *profile, FILE *out, enum measure measure)
{
	struct folded *lines = calloc(profile->sample_count + 1UL, sizeof(*lines));
	u32 count = 0;
	int err = lines ? 0 : -ENOMEM;

	for (u32 i = 0; !err && i < profile->sample_count; i++) {
		u64 value[MEASURE_MAX];

		profile_sample_values(profile, &profile->samples[i], value);
		if (!value[measure])
			continue;
		err = fold(profile, &profile->samples[i], &lines[count].stack);
		if (!err)
			lines[count++].value = value[measure];
	}
	if (!err) {
		qsort(lines, count, sizeof(*lines), compare_folded);
		print_merged(lines, count, out);
	}
	while (count)
		free(lines[--count].stack);
	free(lines);
	return err ? err : stream_flush(out);
}
