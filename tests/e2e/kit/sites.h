/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A json profile that heaptap wrote, and its table of sites. Functions fail the running cmocka test themselves. */
#include "session.h"

/* The last profile of the process with that comm, recorded with -f json; the caller's (cJSON_Delete). */
cJSON *profile_read(const struct session *session, const char *comm);

/* What an object must have. */
const cJSON *json_member(const cJSON *object, const char *name);
double json_number(const cJSON *object, const char *name);

/* The site with most of a measure, e.g. "inuse_space". */
const cJSON *site_greatest(const cJSON *profile, const char *measure);
/* Its own line's function, "" when unknown; whether its heaviest stack goes through a function; the verdict's name. */
const char *site_function(const cJSON *profile, const cJSON *site);
bool site_calls(const cJSON *profile, const cJSON *site, const char *function);
const char *site_verdict(const cJSON *site);
