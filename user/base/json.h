/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * JSON written to a stream as it comes, so that memory does not grow with what is written. No call can fail; the stream
 * remembers the errors, and json_end() reports them. `name` is that of the member; NULL in an array.
 */
#include <stdio.h>

#include "include/types.h"

#define JSON_DEPTH_MAX 8 /* objects and arrays within one another */

struct json {
	FILE *out;
	char closing[JSON_DEPTH_MAX]; /* of the objects and arrays that are open */
	u32 depth;
	u32 line_depth; /* down to here each member or element begins a line */
	bool first;	/* nothing stands yet in the innermost one */
	bool in_page;
};

/* The document is an object with one member a line. */
void json_begin(struct json *json, FILE *out);
/*
 * The same for a document that stands in a script element of a page: '<' in texts is written as an escape, so that no text can
 * end the element, and control characters become '?'.
 */
void json_begin_in_page(struct json *json, FILE *out);
/* Close it and flush. 0 or negative errno. */
int json_end(struct json *json);

void json_object(struct json *json, const char *name);
void json_array(struct json *json, const char *name);
void json_rows(struct json *json, const char *name); /* an array of the document with one element a line */
void json_close(struct json *json);		     /* the innermost object or array */

void json_null(struct json *json, const char *name);
void json_bool(struct json *json, const char *name, bool value);
void json_u64(struct json *json, const char *name, u64 value);
void json_s64(struct json *json, const char *name, s64 value);
/* As a text: readers that take all numbers for doubles would round one beyond 2^53. */
void json_u64_text(struct json *json, const char *name, u64 value);
/* null where `known` is false. */
void json_u64_if(struct json *json, const char *name, bool known, u64 value);
/* Six digits, which are more than estimates of errors and costs are worth. null when not finite. */
void json_double(struct json *json, const char *name, double value);
/* What is JSON already. */
void json_written(struct json *json, const char *name, const char *value, size_t size);
/* NULL: null. Bytes that are not valid UTF-8 are replaced by U+FFFD; control characters are escaped. */
void json_text(struct json *json, const char *name, const char *text);

void json_texts(struct json *json, const char *name, const char *const *texts);	     /* NULL-terminated */
void json_counts(struct json *json, const char *name, const u32 *counts, u32 count); /* without zeros at the end */
