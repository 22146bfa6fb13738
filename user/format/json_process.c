/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of a process both in its own file and in the index; used by json_profile_write and index_write. */
#include "format/json_process.h"

#include "base/json.h"
#include "profile/ledger.h"

const char *const json_measure_names[MEASURE_MAX] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};

bool json_add_measures(cJSON *object, const u64 value[MEASURE_MAX], bool alloc_only)
{
	bool ok = true;

	for (unsigned int m = 0; ok && m < MEASURE_MAX; m++)
		ok = alloc_only && m >= INUSE_OBJECTS ? cJSON_AddNullToObject(object, json_measure_names[m]) != NULL
						      : json_add_u64(object, json_measure_names[m], value[m]);
	return ok;
}

bool json_add_ledger(cJSON *object, const u64 ledger[COUNTER_MAX])
{
	cJSON *item = cJSON_AddObjectToObject(object, "ledger");
	bool ok = item;

	for (unsigned int i = 0; ok && i < COUNTER_MAX; i++)
		ok = json_add_u64(item, ledger_name(i), ledger[i]);
	return ok;
}

bool json_add_rss(cJSON *object, const struct profile *profile)
{
	cJSON *rss = cJSON_AddObjectToObject(object, "rss");

	return json_add_known(rss, "start_bytes", profile->rss_start_bytes) &&
	       json_add_known(rss, "end_bytes", profile->rss_end_bytes) &&
	       json_add_known(rss, "peak_bytes", profile->rss_peak_bytes);
}

bool json_add_peak(cJSON *object, const struct profile *profile)
{
	cJSON *peak = cJSON_AddObjectToObject(object, "peak");

	return json_add_known(peak, "inuse_space", profile->peak_inuse_space) &&
	       (profile->peak_inuse_space ? json_add_u64(peak, "at_ns", profile->peak_at_ns)
					  : cJSON_AddNullToObject(peak, "at_ns") != NULL);
}

bool json_add_identity(cJSON *object, const struct profile *profile)
{
	return (!profile->processes || json_add_u64(object, "processes", profile->processes)) &&
	       json_add_u64(object, "pid", profile->pid) && json_add_u64(object, "image", profile->image) &&
	       json_add_text(object, "comm", profile->comm) && json_add_text(object, "exe", profile->exe) &&
	       json_add_text(object, "cgroup", profile->cgroup) &&
	       json_add_text(object, "container", profile->container) &&
	       json_add_text(object, "container_name", profile->container_name) &&
	       json_add_bool(object, "exited", profile->exited);
}
