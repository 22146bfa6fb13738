/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members and rows of JSON; used by json_process, json_profile_write and index_write. */
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/text.h"

bool json_add_u64(cJSON *object, const char *name, u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return cJSON_AddRawToObject(object, name, text) != NULL;
}

bool json_add_known(cJSON *object, const char *name, u64 value)
{
	return value ? json_add_u64(object, name, value) : cJSON_AddNullToObject(object, name) != NULL;
}

bool json_add_double(cJSON *object, const char *name, double value)
{
	char text[32];

	if (!isfinite(value))
		return cJSON_AddNullToObject(object, name) != NULL;
	snprintf(text, sizeof(text), "%.6g", value);
	return cJSON_AddRawToObject(object, name, text) != NULL;
}

bool json_add_bool(cJSON *object, const char *name, bool value)
{
	return cJSON_AddBoolToObject(object, name, value) != NULL;
}

bool json_add_text(cJSON *object, const char *name, const char *text)
{
	char *clean;
	bool ok;

	if (!text)
		return cJSON_AddNullToObject(object, name) != NULL;
	clean = text_clean(text);
	ok = clean && cJSON_AddStringToObject(object, name, clean);
	free(clean);
	return ok;
}

bool json_append_u64(cJSON *array, u64 value)
{
	char text[24];
	cJSON *item;

	snprintf(text, sizeof(text), "%" PRIu64, value);
	item = cJSON_CreateRaw(text);
	return item && cJSON_AddItemToArray(array, item);
}

static bool json_append_text(cJSON *array, const char *text)
{
	char *clean = text_clean(text);
	cJSON *item = clean ? cJSON_CreateString(clean) : NULL;

	free(clean);
	return item && cJSON_AddItemToArray(array, item);
}

bool json_add_texts(cJSON *object, const char *name, const char *const *texts)
{
	cJSON *array = cJSON_AddArrayToObject(object, name);
	bool ok = array;

	for (; ok && texts && *texts; texts++)
		ok = json_append_text(array, *texts);
	return ok;
}

bool json_add_counts(cJSON *object, const char *name, const u32 *counts, u32 count)
{
	cJSON *array = cJSON_AddArrayToObject(object, name);
	bool ok = array;

	while (count && !counts[count - 1])
		count--;
	for (u32 i = 0; ok && i < count; i++)
		ok = json_append_u64(array, counts[i]);
	return ok;
}

/* Print and drop one value; NULL stands for one that found no memory. */
static int print_item(cJSON *item, FILE *out)
{
	char *text = item ? cJSON_PrintUnformatted(item) : NULL;
	int err = text ? 0 : -ENOMEM;

	if (text)
		fputs(text, out);
	cJSON_free(text);
	cJSON_Delete(item);
	return err;
}

int json_print_members(cJSON *object, bool complete, FILE *out)
{
	const char *before = "{\n";
	int err = complete ? 0 : -ENOMEM;

	for (cJSON *item = object ? object->child : NULL; !err && item; item = item->next) {
		char *text = cJSON_PrintUnformatted(item);

		if (text)
			fprintf(out, "%s\"%s\":%s", before, item->string, text);
		else
			err = -ENOMEM;
		before = ",\n";
		cJSON_free(text);
	}
	cJSON_Delete(object);
	return err;
}

int json_print_table(const char *name, u32 count, cJSON *(*make)(const void *table, u32 i), const void *table,
		     FILE *out)
{
	int err = 0;

	fprintf(out, ",\n\"%s\":[", name);
	for (u32 i = 0; !err && i < count; i++) {
		fputs(i ? ",\n" : "\n", out);
		err = print_item(make(table, i), out);
	}
	fputc(']', out);
	return err;
}

cJSON *json_row_or_null(cJSON *row, bool ok)
{
	if (ok)
		return row;
	cJSON_Delete(row);
	return NULL;
}
