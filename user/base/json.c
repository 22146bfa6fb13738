/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>

#include "base/stream.h"
#include "base/text.h"

static void print_string(const char *text, bool in_page, FILE *out)
{
	static const char escapes[0x80] = {
		['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

	fputc('"', out);
	while (*text) {
		size_t length = text_character_length(text);
		unsigned char first = *text;

		if (!length)
			fputs(TEXT_REPLACEMENT, out);
		else if (in_page && (first == '<' || text_is_control(text)))
			fputs(first == '<' ? "\\u003c" : "?", out);
		else if (first < 0x80 && escapes[first])
			fprintf(out, "\\%c", escapes[first]);
		else if (text_is_control(text))
			fprintf(out, "\\u%04x", (unsigned int)(first < 0x80 ? first : (unsigned char)text[1]));
		else
			fwrite(text, 1, length, out);
		text += length ? length : 1;
	}
	fputc('"', out);
}

/* What stands before a value: the comma, the end of the line, the name. */
static void begin_value(struct json *json, const char *name)
{
	if (!json->first)
		fputc(',', json->out);
	if (json->depth <= json->line_depth)
		fputc('\n', json->out);
	if (name)
		fprintf(json->out, "\"%s\":", name);
	json->first = false;
}

__attribute__((format(printf, 3, 4))) static void print_value(struct json *json, const char *name, const char *format,
							      ...)
{
	va_list arguments;

	begin_value(json, name);
	va_start(arguments, format);
	vfprintf(json->out, format, arguments);
	va_end(arguments);
}

static void open_level(struct json *json, char opening, char closing)
{
	fputc(opening, json->out);
	json->closing[json->depth++] = closing;
	json->first = true;
}

void json_begin(struct json *json, FILE *out)
{
	*json = (struct json){.out = out, .line_depth = 1};
	open_level(json, '{', '}');
}

void json_begin_in_page(struct json *json, FILE *out)
{
	json_begin(json, out);
	json->in_page = true;
}

int json_end(struct json *json)
{
	fputs("\n}\n", json->out);
	return stream_flush(json->out);
}

void json_object(struct json *json, const char *name)
{
	begin_value(json, name);
	open_level(json, '{', '}');
}

void json_array(struct json *json, const char *name)
{
	begin_value(json, name);
	open_level(json, '[', ']');
}

void json_rows(struct json *json, const char *name)
{
	json_array(json, name);
	json->line_depth = json->depth;
}

void json_close(struct json *json)
{
	fputc(json->closing[--json->depth], json->out);
	json->first = false;
	if (json->line_depth > json->depth)
		json->line_depth = json->depth;
}

void json_null(struct json *json, const char *name)
{
	print_value(json, name, "null");
}

void json_bool(struct json *json, const char *name, bool value)
{
	print_value(json, name, value ? "true" : "false");
}

void json_u64(struct json *json, const char *name, u64 value)
{
	print_value(json, name, "%" PRIu64, value);
}

void json_s64(struct json *json, const char *name, s64 value)
{
	print_value(json, name, "%" PRId64, value);
}

void json_u64_text(struct json *json, const char *name, u64 value)
{
	print_value(json, name, "\"%" PRIu64 "\"", value);
}

void json_u64_if(struct json *json, const char *name, bool known, u64 value)
{
	if (known)
		json_u64(json, name, value);
	else
		json_null(json, name);
}

void json_double(struct json *json, const char *name, double value)
{
	print_value(json, name, isfinite(value) ? "%.6g" : "null", value);
}

void json_written(struct json *json, const char *name, const char *value, size_t size)
{
	begin_value(json, name);
	fwrite(value, 1, size, json->out);
}

void json_text(struct json *json, const char *name, const char *text)
{
	if (!text) {
		json_null(json, name);
		return;
	}
	begin_value(json, name);
	print_string(text, json->in_page, json->out);
}

void json_texts(struct json *json, const char *name, const char *const *texts)
{
	json_array(json, name);
	for (; texts && *texts; texts++)
		json_text(json, NULL, *texts);
	json_close(json);
}

void json_counts(struct json *json, const char *name, const u32 *counts, u32 count)
{
	json_array(json, name);
	while (count && !counts[count - 1])
		count--;
	for (u32 i = 0; i < count; i++)
		json_u64(json, NULL, counts[i]);
	json_close(json);
}
