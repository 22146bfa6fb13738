/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/json_restraint.h"

#include <math.h>

void json_restraint_write(struct json *json, const struct restraint *restraint)
{
	bool scaled = restraint->scale > 1;

	if (!(restraint->limit_percent > 0) && !restraint_is_any(restraint))
		return;
	json_object(json, "max_overhead");
	json_double(json, "limit_percent", restraint->limit_percent > 0 ? restraint->limit_percent : NAN);
	json_u64_if(json, "frees_ended_ns", restraint->frees_ended, restraint->frees_ended_ns);
	json_u64_if(json, "probe_scale", scaled, restraint->scale);
	json_u64_if(json, "scaled_from_ns", scaled, restraint->scaled_ns);
	json_double(json, "scale_error_percent",
		    scaled && restraint->scale_error > 0 ? 100 * restraint->scale_error : NAN);
	json_u64_if(json, "detached_ns", restraint->detached, restraint->detached_ns);
	json_close(json);
}

static bool take(const cJSON *object, const char *name, double *ret_value)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0) || value->valuedouble >= 0x1p63)
		return false;
	*ret_value = value->valuedouble;
	return true;
}

struct restraint json_restraint_read(const cJSON *value)
{
	struct restraint restraint = {0};
	double number;

	if (take(value, "limit_percent", &number))
		restraint.limit_percent = number;
	if (take(value, "frees_ended_ns", &number))
		restraint_set(&restraint, "frees_ended_ns", (u64)number);
	if (take(value, "probe_scale", &number))
		restraint_set(&restraint, "probe_scale", (u64)number);
	if (take(value, "scaled_from_ns", &number))
		restraint.scaled_ns = (u64)number;
	if (take(value, "scale_error_percent", &number))
		restraint.scale_error = number / 100;
	if (take(value, "detached_ns", &number))
		restraint_set(&restraint, "detached_ns", (u64)number);
	return restraint;
}
