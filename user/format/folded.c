/* SPDX-License-Identifier: GPL-2.0-or-later */
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

/* Frames end with a newline here, which no name contains: a ';' in a name must not look like the end of a frame. */
static void print_location(const struct profile *profile, const struct profile_location *location, FILE *out)
{
	char code[SITE_LABEL_CODE_SIZE];

	if (!location->line_count) {
		site_label_code(profile, location, code);
		fprintf(out, "%s\n", code);
	}
	for (u32 i = location->line_count; i-- > 0;) {
		text_print_line(location->lines[i].function, out);
		fputc('\n', out);
	}
}

/* NULL: no memory. The value follows the last space of a line, so spaces in names do no harm. */
static char *fold(const struct profile *profile, const struct profile_sample *sample)
{
	char *stack = NULL;
	size_t size;
	FILE *out = open_memstream(&stack, &size);

	if (!out)
		return NULL;
	if (!sample->depth)
		fputs("[unknown]\n", out);
	for (u32 i = sample->depth; i-- > 0;)
		print_location(profile, &profile->locations[sample->location[i]], out);
	if (fclose(out)) {
		free(stack);
		return NULL;
	}
	stack[size - 1] = '\0';
	for (char *at = stack; (at = strpbrk(at, ";\n")); at++)
		*at = *at == ';' ? ':' : ';';
	return stack;
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
		lines[count].stack = fold(profile, &profile->samples[i]);
		if (lines[count].stack)
			lines[count++].value = value[measure];
		else
			err = -ENOMEM;
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
