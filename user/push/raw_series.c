/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/raw_series.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base64.h"

static void put_label(struct json *json, const char *name, const char *value)
{
	json_object(json, NULL);
	json_text(json, "name", name);
	json_text(json, "value", value);
	json_close(json);
}

void raw_series_labels(struct json *json, const struct push_profile *profile)
{
	char part[16];

	json_array(json, "labels");
	put_label(json, "__name__", "memory");
	for (u32 i = 0; i < profile->labels->count; i++)
		put_label(json, profile->labels->labels[i].name, profile->labels->labels[i].value);
	if (profile->part < 2)
		return;
	snprintf(part, sizeof(part), "%u", profile->part);
	put_label(json, LABEL_PART, part);
}

static int quote(const void *bytes, size_t size, struct raw_profile *ret_raw)
{
	char *text = base64_encode(bytes, size, &ret_raw->length);
	int length = text ? asprintf(&ret_raw->text, "\"%s\"", text) : -1;

	free(text);
	if (length < 0)
		return -ENOMEM;
	ret_raw->length = (size_t)length;
	return 0;
}

static int make_raw(const struct push_profile *profile, struct raw_profile *ret_raw)
{
	char *bytes = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&bytes, &size);
	u64 unpacked = 0;
	int err;

	if (!out)
		return -ENOMEM;
	err = pprof_stacks_write(&profile->stacks, out, &unpacked);
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (!err && unpacked > STORE_PROFILE_MAX)
		err = -EFBIG;
	err = err ? err : quote(bytes, size, ret_raw);
	free(bytes);
	return err;
}

static int write_each(struct json *json, const struct push_profile *profiles, u32 count, raw_series_write *write)
{
	int err = 0;

	json_rows(json, "series");
	for (u32 i = 0; i < count && !err; i++) {
		struct raw_profile raw;

		err = make_raw(&profiles[i], &raw);
		if (err)
			break;
		write(json, &profiles[i], &raw);
		free(raw.text);
		if (count > 1 && ftell(json->out) > (long)STORE_BODY_MAX)
			err = -EFBIG;
	}
	json_close(json);
	return err;
}

int raw_series_encode(const struct push_profile *profiles, u32 count, raw_series_write *write, unsigned char **ret_body,
		      size_t *ret_size)
{
	char *body = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&body, &size);
	struct json json;
	int err;

	if (!out)
		return -ENOMEM;
	json_begin(&json, out);
	err = write_each(&json, profiles, count, write);
	if (json_end(&json) && !err)
		err = -ENOMEM;
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (err) {
		free(body);
		return err;
	}
	*ret_body = (unsigned char *)body;
	*ret_size = size;
	return 0;
}
