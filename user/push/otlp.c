/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/otlp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "push/otlp_dictionary.h"
#include "push/random_id.h"

/* --- one profile, of one measure --- */

static Otlp__ValueType *put_type(struct otlp_dictionary *dictionary, const char *type, const char *unit)
{
	Otlp__ValueType *message = otlp_message(dictionary, &otlp__value_type__descriptor);

	if (message) {
		message->type_strindex = otlp_string(dictionary, type);
		message->unit_strindex = otlp_string(dictionary, unit);
	}
	return message;
}

static void put_sample(struct otlp_dictionary *dictionary, Otlp__Profile *profile, const struct stack_sum *row,
		       u64 value)
{
	Otlp__Sample *message = otlp_message(dictionary, &otlp__sample__descriptor);
	int64_t *values = otlp_list(dictionary, 1, sizeof(*values));

	if (!message || !values)
		return;
	*values = (int64_t)value;
	message->values = values;
	message->n_values = 1;
	message->stack_index = otlp_stack(dictionary, row->location, row->depth);
	profile->samples[profile->n_samples++] = message;
}

static Otlp__Profile *put_profile(struct otlp_dictionary *dictionary, const struct pprof_stacks *stacks,
				  enum measure measure)
{
	Otlp__Profile *message = otlp_message(dictionary, &otlp__profile__descriptor);

	if (!message)
		return NULL;
	message->sample_type = put_type(dictionary, profile_names(dictionary->profile)[measure],
					measure_is_space(measure) ? "bytes" : "count");
	message->period_type = put_type(dictionary, "space", "bytes");
	message->period = (s64)dictionary->profile->sample_bytes;
	message->time_unix_nano = stacks->time_unix_ns;
	message->duration_nano = stacks->duration_ns;
	message->profile_id.data = otlp_list(dictionary, RANDOM_ID_SIZE, 1);
	message->samples = otlp_list(dictionary, stacks->count, sizeof(*message->samples));
	if (!message->profile_id.data || !message->samples)
		return NULL;
	message->profile_id.len = RANDOM_ID_SIZE;
	random_id(message->profile_id.data);
	for (u32 i = 0; i < stacks->count; i++)
		if (stacks->rows[i].value[measure])
			put_sample(dictionary, message, &stacks->rows[i], stacks->rows[i].value[measure]);
	return message;
}

static bool has_any(const struct pprof_stacks *stacks, enum measure measure)
{
	for (u32 i = 0; i < stacks->count; i++)
		if (stacks->rows[i].value[measure])
			return true;
	return false;
}

static void put_profiles(struct otlp_dictionary *dictionary, const struct pprof_stacks *stacks,
			 Otlp__ScopeProfiles *scope)
{
	for (unsigned int m = stacks->first; m < stacks->end; m++) {
		Otlp__Profile *message = has_any(stacks, m) ? put_profile(dictionary, stacks, m) : NULL;

		if (message)
			scope->profiles[scope->n_profiles++] = message;
	}
}

/* --- whose it is --- */

static char *copy_text(struct otlp_dictionary *dictionary, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = otlp_list(dictionary, size, 1);

	return copy ? memcpy(copy, text, size) : NULL;
}

static void put_attribute(struct otlp_dictionary *dictionary, Otlp__Resource *resource, const char *name,
			  const char *value)
{
	Otlp__KeyValue *message = otlp_message(dictionary, &otlp__key_value__descriptor);
	Otlp__AnyValue *any = otlp_message(dictionary, &otlp__any_value__descriptor);

	if (!message || !any)
		return;
	message->key = copy_text(dictionary, name);
	message->value = any;
	if (!strcmp(name, "process.pid")) {
		any->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
		any->int_value = strtoll(value, NULL, 10);
	} else {
		any->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
		any->string_value = copy_text(dictionary, value);
	}
	resource->attributes[resource->n_attributes++] = message;
}

static Otlp__Resource *put_resource(struct otlp_dictionary *dictionary, const struct push_profile *profile)
{
	const struct label_list *labels = profile->labels;
	Otlp__Resource *message = otlp_message(dictionary, &otlp__resource__descriptor);
	char part[16];

	if (!message)
		return NULL;
	message->attributes = otlp_list(dictionary, labels->count + 1UL, sizeof(*message->attributes));
	if (!message->attributes)
		return NULL;
	for (u32 i = 0; i < labels->count; i++)
		put_attribute(dictionary, message, labels->labels[i].name, labels->labels[i].value);
	snprintf(part, sizeof(part), "%u", profile->part);
	if (profile->part > 1)
		put_attribute(dictionary, message, LABEL_PART, part);
	return message;
}

/* A resource, and room for the profiles of `count` pieces. */
static Otlp__ResourceProfiles *put_series(struct otlp_dictionary *dictionary, const struct push_profile *profile,
					  u32 count)
{
	Otlp__ResourceProfiles *message = otlp_message(dictionary, &otlp__resource_profiles__descriptor);
	Otlp__ScopeProfiles *scope = otlp_message(dictionary, &otlp__scope_profiles__descriptor);

	if (!message || !scope)
		return NULL;
	message->resource = put_resource(dictionary, profile);
	message->scope_profiles = otlp_list(dictionary, 1, sizeof(*message->scope_profiles));
	scope->profiles = otlp_list(dictionary, count * (size_t)MEASURE_MAX, sizeof(*scope->profiles));
	scope->scope = otlp_message(dictionary, &otlp__scope__descriptor);
	if (dictionary->failed)
		return NULL;
	scope->scope->name = "heaptap";
	scope->scope->version = HEAPTAP_VERSION;
	message->scope_profiles[message->n_scope_profiles++] = scope;
	return message;
}

/* --- the request --- */

u64 otlp_number(const struct push_profile *profiles, u32 count)
{
	u64 number = 0;

	for (u32 i = 0; i < count; i++)
		for (unsigned int m = profiles[i].stacks.first; m < profiles[i].stacks.end; m++)
			number += has_any(&profiles[i].stacks, m);
	return number;
}

static bool are_of_one(const struct push_profile *a, const struct push_profile *b)
{
	return a->labels == b->labels && a->part == b->part;
}

static void fill(struct otlp_dictionary *dictionary, const struct push_profile *profiles, u32 count,
		 Otlp__Request *request)
{
	Otlp__ResourceProfiles *series = NULL;

	request->resource_profiles = otlp_list(dictionary, count, sizeof(*request->resource_profiles));
	for (u32 i = 0; i < count && !dictionary->failed; i++) {
		if (!i || !are_of_one(&profiles[i - 1], &profiles[i])) {
			series = put_series(dictionary, &profiles[i], count - i);
			if (!series)
				return;
			request->resource_profiles[request->n_resource_profiles++] = series;
		}
		put_profiles(dictionary, &profiles[i].stacks, series->scope_profiles[0]);
	}
	request->dictionary = &dictionary->message;
}

static int pack(const Otlp__Request *request, unsigned char **ret_body, size_t *ret_size)
{
	size_t size = otlp__request__get_packed_size(request);

	if (size > STORE_PROFILE_MAX)
		return -EFBIG;
	*ret_body = malloc(size + 1);
	if (!*ret_body)
		return -ENOMEM;
	*ret_size = otlp__request__pack(request, *ret_body);
	return 0;
}

int otlp_encode(const struct push_profile *profiles, u32 count, unsigned char **ret_body, size_t *ret_size)
{
	Otlp__Request request = OTLP__REQUEST__INIT;
	struct otlp_dictionary dictionary;
	int err;

	otlp_dictionary_open(&dictionary, profiles->stacks.profile);
	fill(&dictionary, profiles, count, &request);
	err = dictionary.failed ? -ENOMEM : pack(&request, ret_body, ret_size);
	otlp_dictionary_release(&dictionary);
	return err;
}
