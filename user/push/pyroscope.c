/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/pyroscope.h"

#include "push/random_id.h"
#include "push/raw_series.h"

static void write_series(struct json *json, const struct push_profile *profile, const struct raw_profile *raw)
{
	char id[RANDOM_ID_TEXT_SIZE];

	json_object(json, NULL);
	raw_series_labels(json, profile);
	json_object(json, NULL);
	json_text(json, "name", "__delta__");
	json_text(json, "value", "false");
	json_close(json);
	json_close(json);
	json_array(json, "samples");
	json_object(json, NULL);
	json_text(json, "ID", random_id_text(id));
	json_written(json, "rawProfile", raw->text, raw->length);
	json_close(json);
	json_close(json);
	json_close(json);
}

int pyroscope_encode(const struct push_profile *profiles, u32 count, unsigned char **ret_body, size_t *ret_size)
{
	return raw_series_encode(profiles, count, write_series, ret_body, ret_size);
}
