/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What --max-overhead left out, as "max_overhead" of a process in JSON; nothing is written where there was no limit. */
#include <cjson/cJSON.h>

#include "base/json.h"
#include "profile/restraint.h"

void json_restraint_write(struct json *json, const struct restraint *restraint);

/* From the value of "max_overhead"; NULL, or what is none: nothing was left out. */
struct restraint json_restraint_read(const cJSON *value);
