/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/parca.h"

#include "push/raw_series.h"

static void write_series(struct json *json, const struct push_profile *profile, const struct raw_profile *raw)
{
	json_object(json, NULL);
	json_object(json, "labels");
	raw_series_labels(json, profile);
	json_close(json);
	json_close(json);
	json_array(json, "samples");
	json_object(json, NULL);
	json_written(json, "rawProfile", raw->text, raw->length);
	json_close(json);
	json_close(json);
	json_close(json);
}

int parca_encode(const struct push_profile *profiles, u32 count, unsigned char **ret_body, size_t *ret_size)
{
	return raw_series_encode(profiles, count, write_series, ret_body, ret_size);
}
