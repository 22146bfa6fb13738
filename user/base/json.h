/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_JSON_H
#define BASE_JSON_H
/*
 * JSON on top of cJSON. One table row is one line, built and dropped by itself, so that memory does not grow with what is
 * written. Functions that return bool say whether there was memory; with no object they do nothing and return false.
 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "include/types.h"

/* cJSON's own numbers are doubles, which lose integers above 2^53. */
bool json_add_u64(cJSON *object, const char *name, u64 value);
bool json_append_u64(cJSON *array, u64 value);
/* Where a profile says 0 for unknown, JSON says null. */
bool json_add_known(cJSON *object, const char *name, u64 value);
/* Estimates of errors and costs: six digits are more than they are worth. null when not finite. */
bool json_add_double(cJSON *object, const char *name, double value);
bool json_add_bool(cJSON *object, const char *name, bool value);
bool json_add_text(cJSON *object, const char *name, const char *text); /* NULL: null; what is no UTF-8 is replaced */
bool json_add_texts(cJSON *object, const char *name, const char *const *texts);	     /* NULL-terminated */
bool json_add_counts(cJSON *object, const char *name, const u32 *counts, u32 count); /* without zeros at the end */

/* The members of an object, one a line, without its closing brace; the object goes. 0, or -ENOMEM if not `complete`. */
int json_print_members(cJSON *object, bool complete, FILE *out);
/* A table as the next member: `make` builds row i, NULL without memory. 0 or -ENOMEM. */
int json_print_table(const char *name, u32 count, cJSON *(*make)(const void *table, u32 i), const void *table,
		     FILE *out);
/* The row if it is `ok`; NULL instead of a half-built one, which goes. */
cJSON *json_row_or_null(cJSON *row, bool ok);

#endif
