/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FORMAT_JSON_PROCESS_H
#define FORMAT_JSON_PROCESS_H
/* Facts about a process as members of a JSON object. Each returns whether there was memory. docs/formats.md has the names. */
#include <cjson/cJSON.h>

#include "profile/profile.h"

extern const char *const json_measure_names[MEASURE_MAX];

/* Without free probes in-use is unknown: null, not 0. */
bool json_add_measures(cJSON *object, const u64 value[MEASURE_MAX], bool alloc_only);
bool json_add_ledger(cJSON *object, const u64 ledger[COUNTER_MAX]);
bool json_add_rss(cJSON *object, const struct profile *profile);
bool json_add_peak(cJSON *object, const struct profile *profile);
bool json_add_identity(cJSON *object, const struct profile *profile);

#endif
