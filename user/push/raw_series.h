/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the JSON of Pyroscope and that of Parca have in common: series with labels, and files as base64. */
#include "base/json.h"
#include "push/store.h"

/* A .pb.gz as base64, in quotes. */
struct raw_profile {
	char *text;
	size_t length;
};

/* Write one series, an element of an array. */
typedef void raw_series_write(struct json *json, const struct push_profile *profile, const struct raw_profile *raw);

/* A document {"series": [...]}, of which `write` writes each. See struct push_store. */
int raw_series_encode(const struct push_profile *profiles, u32 count, raw_series_write *write, unsigned char **ret_body,
		      size_t *ret_size);

/* The array of labels, {"name": ..., "value": ...} each, with the name of the profile and the number of its piece; open: close it. */
void raw_series_labels(struct json *json, const struct push_profile *profile);
