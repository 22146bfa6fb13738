/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines are compared and printed frame by frame, without ever being put together: a stack may have thousands of frames
 * with names of kilobytes, and there may be a million stacks.
 */
#include "format/folded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/stream.h"
#include "base/text.h"
#include "view/code_label.h"

/* What a frame is printed as. Functions are told apart by where their names are: a profile has each text once. */
struct name {
	const void *key; /* the function's text, or the location without any */
	char *text;
	UT_hash_handle hh;
};

struct folded {
	const struct profile *profile;
	struct name *names;
	const struct name ***frames; /* of each location, from its outermost function in */
	struct stack {
		const struct profile_sample *sample;
		u64 value;
	} * stacks;
	u32 count;
};

/* --- names --- */

/* A ';' in a name must not look like the end of a frame. NULL: no memory. */
static char *text_of(const struct profile *profile, const struct profile_location *location, const char *function)
{
	char code[CODE_LABEL_SIZE], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (!function)
		code_label(profile, location, code);
	text_print_line(function ? function : code, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	for (char *at = text; (at = strchr(at, ';')); at++)
		*at = ':';
	return text;
}

/* The name of a function, or of code without one (NULL). NULL: no memory. */
static const struct name *name_get(struct folded *folded, const struct profile_location *location, const char *function)
{
	const void *key = function ? (const void *)function : location;
	struct name *name;

	HASH_FIND_PTR(folded->names, &key, name);
	if (name)
		return name;
	name = calloc(1, sizeof(*name));
	if (!name)
		return NULL;
	name->key = key;
	name->text = text_of(folded->profile, location, function);
	HASH_ADD_PTR(folded->names, key, name);
	return name->text && hash_added(&name->hh) ? name : NULL;
}

static int name_location(struct folded *folded, u32 index)
{
	const struct profile_location *location = &folded->profile->locations[index];
	u32 count = location->line_count ? location->line_count : 1;
	const struct name **frames = calloc(count, sizeof(*frames));

	folded->frames[index] = frames;
	if (!frames)
		return -ENOMEM;
	for (u32 i = 0; i < count; i++) {
		const char *function = location->line_count ? location->lines[count - 1 - i].function : NULL;

		frames[i] = name_get(folded, location, function);
		if (!frames[i])
			return -ENOMEM;
	}
	return 0;
}

/* --- lines --- */

/* Reads a line's bytes one after the other, up to a NUL. */
struct cursor {
	const struct folded *folded;
	const struct profile_sample *sample;
	u32 left;  /* locations after this one, towards the leaf */
	u32 frame; /* the next one of this location */
	const char *text;
};

static struct cursor cursor_of(const struct folded *folded, const struct profile_sample *sample)
{
	struct cursor cursor = {.folded = folded, .sample = sample, .left = sample->depth, .text = "[unknown]"};

	if (!sample->depth)
		return cursor;
	cursor.left--;
	cursor.frame = 1;
	cursor.text = folded->frames[sample->location[cursor.left]][0]->text;
	return cursor;
}

static u32 frame_count(const struct cursor *cursor)
{
	u32 lines = cursor->folded->profile->locations[cursor->sample->location[cursor->left]].line_count;

	return lines ? lines : 1;
}

static unsigned char next_byte(struct cursor *cursor)
{
	if (*cursor->text)
		return (unsigned char)*cursor->text++;
	if (!cursor->sample->depth)
		return '\0';
	if (cursor->frame == frame_count(cursor)) {
		if (!cursor->left)
			return '\0';
		cursor->left--;
		cursor->frame = 0;
	}
	cursor->text = cursor->folded->frames[cursor->sample->location[cursor->left]][cursor->frame++]->text;
	return ';';
}

static int compare_stacks(const void *a, const void *b, void *arg)
{
	const struct stack *left = a, *right = b;
	struct cursor one = cursor_of(arg, left->sample), other = cursor_of(arg, right->sample);
	unsigned char x, y;

	do {
		x = next_byte(&one);
		y = next_byte(&other);
	} while (x && x == y);
	return x - y;
}

static void print_stack(const struct folded *folded, const struct profile_sample *sample, FILE *out)
{
	struct cursor cursor = cursor_of(folded, sample);

	for (unsigned char byte; (byte = next_byte(&cursor));)
		fputc(byte, out);
}

/* The value follows the last space of a line, so spaces in names do no harm. */
static void print_merged(struct folded *folded, FILE *out)
{
	for (u32 i = 0; i < folded->count;) {
		const struct stack *first = &folded->stacks[i];
		u64 value = 0;

		for (; i < folded->count && !compare_stacks(first, &folded->stacks[i], folded); i++)
			value += folded->stacks[i].value;
		print_stack(folded, first->sample, out);
		fprintf(out, " %" PRIu64 "\n", value);
	}
}

/* --- the profile --- */

static int collect(struct folded *folded, enum measure measure)
{
	const struct profile *profile = folded->profile;
	int err = 0;

	folded->frames = calloc(profile->location_count + 1UL, sizeof(*folded->frames));
	folded->stacks = calloc(profile->sample_count + 1UL, sizeof(*folded->stacks));
	if (!folded->frames || !folded->stacks)
		return -ENOMEM;
	for (u32 i = 0; !err && i < profile->location_count; i++)
		err = name_location(folded, i);
	for (u32 i = 0; i < profile->sample_count; i++) {
		u64 value[MEASURE_MAX] = {0};

		profile_sample_values(profile, &profile->samples[i], value);
		if (value[measure])
			folded->stacks[folded->count++] = (struct stack){&profile->samples[i], value[measure]};
	}
	return err;
}

static void name_free(struct name *name)
{
	free(name->text);
	free(name);
}

static void release(struct folded *folded)
{
	for (u32 i = 0; folded->frames && i < folded->profile->location_count; i++)
		free(folded->frames[i]);
	hash_release(folded->names, name_free);
	free(folded->frames);
	free(folded->stacks);
}

int folded_write(const struct profile *profile, FILE *out, enum measure measure)
{
	struct folded folded = {.profile = profile};
	int err = collect(&folded, measure);

	if (!err) {
		qsort_r(folded.stacks, folded.count, sizeof(*folded.stacks), compare_stacks, &folded);
		print_merged(&folded, out);
	}
	release(&folded);
	return err ? err : stream_flush(out);
}
