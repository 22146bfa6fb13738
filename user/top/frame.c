/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/frame.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define TEXT_SIZE 4096

void frame_open(struct frame *frame, unsigned int columns, enum display_charset charset)
{
	*frame = (struct frame){.charset = charset, .columns = columns};
}

void frame_release(struct frame *frame)
{
	for (u32 i = 0; i < frame->count; i++)
		free(frame->lines[i].text);
	free(frame->lines);
	*frame = (struct frame){0};
}

void frame_line(struct frame *frame)
{
	char *text = calloc(1, 1);

	if (!text || array_grow(&frame->lines, frame->count, 1)) {
		free(text);
		frame->failed = true;
		return;
	}
	frame->lines[frame->count++] = (struct frame_line){.text = text};
}

/* The text is clean, and fits. */
static void append(struct frame *frame, enum frame_style style, const char *text)
{
	struct frame_line *line = &frame->lines[frame->count - 1];
	size_t length = strlen(text);
	char *longer = realloc(line->text, line->size + length + 1);
	struct frame_span *last = line->span_count ? &line->spans[line->span_count - 1] : NULL;

	if (!longer) {
		frame->failed = true;
		return;
	}
	memcpy(longer + line->size, text, length + 1);
	line->text = longer;
	line->size += length;
	line->columns += display_columns(text);
	if (!last || (last->style != style && line->span_count < FRAME_SPANS_MAX))
		line->spans[line->span_count++] = (struct frame_span){line->size, style};
	else
		last->end = line->size;
}

static void append_cut(struct frame *frame, enum frame_style style, char *text)
{
	if (!frame->count || frame->failed)
		return;
	display_cut(text, frame->columns - frame->lines[frame->count - 1].columns);
	if (*text)
		append(frame, style, text);
}

void frame_put(struct frame *frame, enum frame_style style, const char *format, ...)
{
	char raw[TEXT_SIZE], text[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	display_clean(raw, frame->charset, text, sizeof(text));
	append_cut(frame, style, text);
}

void frame_put_last(struct frame *frame, enum frame_style style, const char *text)
{
	struct frame_line *line = frame->count ? &frame->lines[frame->count - 1] : NULL;
	unsigned int wanted = display_columns(text), left = frame->columns > wanted ? frame->columns - wanted : 0;

	if (line && line->columns > left) {
		display_cut(line->text, left);
		line->size = strlen(line->text);
		line->columns = display_columns(line->text);
	}
	for (u32 i = 0; line && i < line->span_count; i++)
		if (line->spans[i].end > line->size)
			line->spans[i].end = line->size;
	frame_put(frame, style, "%s", text);
}

void frame_cell(struct frame *frame, enum frame_style style, const char *text, unsigned int width, bool left)
{
	unsigned int columns = display_columns(text), blank = columns < width ? width - columns : 0;
	char cell[TEXT_SIZE];

	snprintf(cell, sizeof(cell), "%*s%s%*s", left ? 0 : (int)blank, "", text, left ? (int)blank : 0, "");
	append_cut(frame, style, cell);
}

void frame_fill(struct frame *frame, enum frame_style style, unsigned int column)
{
	unsigned int at = frame->count ? frame->lines[frame->count - 1].columns : column;

	if (at < column)
		frame_cell(frame, style, "", column - at, true);
}

void frame_print(const struct frame *frame, FILE *out)
{
	for (u32 i = 0; i < frame->count; i++) {
		size_t size = frame->lines[i].size;

		while (size && frame->lines[i].text[size - 1] == ' ')
			size--;
		fwrite(frame->lines[i].text, 1, size, out);
		fputc('\n', out);
	}
}
