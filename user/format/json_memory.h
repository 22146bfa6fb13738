/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What resident memory consists of, as the member "memory" of .json profiles, index.json and the page (docs/formats.md). */
#include <cjson/cJSON.h>

#include "base/json.h"
#include "profile/memory_parts.h"
#include "system/cgroup_usage.h"

/* null where it is unknown. */
void json_memory_write(struct json *json, const struct memory_parts *parts);

/* The file may be hostile: what has an unexpected type counts as missing. NULL, or no object: unknown. */
struct memory_parts json_memory_read(const cJSON *memory);

/* The same for what a control group has, as the member "group_memory" of index.json. */
void json_memory_group_write(struct json *json, const struct cgroup_usage *usage);
struct cgroup_usage json_memory_group_read(const cJSON *group);
