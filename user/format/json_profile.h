/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A profile as JSON (docs/formats.md): everything heaptap knows of one process. */
#include "base/json.h"
#include "profile/lifetime_summary.h"
#include "profile/profile.h"

/* Flushed. 0 or negative errno. */
int json_profile_write(const struct profile *profile, FILE *out);

/* Members that index.json has too. */
void json_profile_identity(struct json *json, const struct profile *profile);
/* `names`: as profile_names has them. Without free probes in-use is unknown: null, not 0. */
void json_profile_measures(struct json *json, const char *const *names, const u64 value[MEASURE_MAX], bool alloc_only);
/* The standard errors of those; null also where one is not known. */
void json_profile_errors(struct json *json, const char *const *names, const double error[MEASURE_MAX], bool alloc_only);
void json_profile_peak(struct json *json, const struct profile *profile);
void json_profile_rss(struct json *json, const struct profile *profile);
void json_profile_memory(struct json *json, const struct profile *profile); /* of the cgroup */
void json_profile_ledger(struct json *json, const u64 ledger[COUNTER_MAX]);
/* The verdict, null where nothing is known; growth is null unless it is `growing`. */
void json_profile_growth(struct json *json, const struct profile *profile, const struct lifetime_summary *summary);
