/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads json profiles for the tests of verdicts; docs/formats.md has the keys. */
#include "sites.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

cJSON *profile_read(const struct session *session, const char *comm)
{
	cJSON *index = session_index(session);
	cJSON *profile = json_read(index_file(session, index_process(index, comm), ".json"));

	cJSON_Delete(index);
	return profile;
}

const cJSON *json_member(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!item)
		fail_msg("no %s in:\n%s", name, cJSON_Print(object));
	return item;
}

double json_number(const cJSON *object, const char *name)
{
	return cJSON_GetNumberValue(json_member(object, name));
}

const cJSON *site_greatest(const cJSON *profile, const char *measure)
{
	const cJSON *site, *greatest = NULL;

	cJSON_ArrayForEach (site, json_member(profile, "sites"))
		if (!greatest || json_number(site, measure) > json_number(greatest, measure))
			greatest = site;
	assert_non_null(greatest);
	return greatest;
}

/* The function of a line of a location, 0 being the innermost; "" when it has no name. */
static const char *location_function(const cJSON *profile, int location, int number)
{
	const cJSON *item = cJSON_GetArrayItem(json_member(profile, "locations"), location);
	const cJSON *line = cJSON_GetArrayItem(json_member(item, "lines"), number);
	const char *name = line ? cJSON_GetStringValue(json_member(line, "function")) : NULL;

	return name ? name : "";
}

const char *site_function(const cJSON *profile, const cJSON *site)
{
	const cJSON *location = json_member(site, "location"), *line = json_member(site, "line");

	return cJSON_IsNumber(line) ? location_function(profile, location->valueint, line->valueint) : "";
}

bool site_calls(const cJSON *profile, const cJSON *site, const char *function)
{
	int example = (int)json_number(site, "example");
	const cJSON *sample = cJSON_GetArrayItem(json_member(profile, "samples"), example), *location;

	cJSON_ArrayForEach (location, json_member(sample, "stack"))
		if (!strcmp(location_function(profile, location->valueint, 0), function))
			return true;
	return false;
}

const char *site_verdict(const cJSON *site)
{
	const char *verdict = cJSON_GetStringValue(json_member(json_member(site, "lifespan"), "verdict"));

	assert_non_null(verdict);
	return verdict;
}
