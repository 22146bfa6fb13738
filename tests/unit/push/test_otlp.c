/* SPDX-License-Identifier: GPL-2.0-or-later */
/* otlp.c: unpacked, each measure is a profile, and the dictionary has each thing once. Field numbers are checked by the tests' own reader, e2e/kit/strict_store.py. */
#include "encoded.h"

#include "otlp.pb-c.h"
#include "push/otlp.h"

static Otlp__Request *encode(u32 count)
{
	Otlp__Request *request;
	unsigned char *body;
	size_t size;

	assert_int_equal(otlp_encode(pair, count, &body, &size), 0);
	request = otlp__request__unpack(NULL, size, body);
	assert_non_null(request);
	free(body);
	return request;
}

static const char *text_at(const Otlp__Request *request, s32 index)
{
	assert_in_range(index, 0, request->dictionary->n_string_table - 1);
	return request->dictionary->string_table[index];
}

static void assert_profile(const Otlp__Request *request, u32 index, const char *type, s64 first, s64 second)
{
	const Otlp__Profile *profile = request->resource_profiles[0]->scope_profiles[0]->profiles[index];
	const bool allocated = !strncmp(type, "alloc", 5);

	assert_string_equal(text_at(request, profile->sample_type->type_strindex), type);
	assert_int_equal(profile->duration_nano, allocated ? 15000000000 : 0);
	assert_int_equal(profile->time_unix_nano, 1000000000000000000 + allocated);
	assert_int_equal(profile->profile_id.len, 16);
	assert_int_equal(profile->period, 1);
	assert_int_equal(profile->n_samples, 2);
	assert_int_equal(profile->samples[0]->values[0], first);
	assert_int_equal(profile->samples[1]->values[0], second);
	assert_int_equal(profile->samples[0]->stack_index, 1);
	assert_int_equal(profile->samples[1]->stack_index, 2);
}

static void test_otlp_has_a_profile_for_each_measure(void **state)
{
	Otlp__Request *request;

	(void)state;
	make_pair(STORE_OTLP);
	request = encode(2);
	assert_int_equal(request->n_resource_profiles, 1);
	assert_int_equal(request->resource_profiles[0]->scope_profiles[0]->n_profiles, 4);
	assert_profile(request, 0, "inuse_objects", 20, 1);
	assert_profile(request, 1, "inuse_space", 1280, 100);
	assert_profile(request, 2, "alloc_objects", 30, 5);
	assert_profile(request, 3, "alloc_space", 1920, 500);
	otlp__request__free_unpacked(request, NULL);
}

static void test_otlp_dictionary_has_each_once(void **state)
{
	const Otlp__Dictionary *dictionary;
	const Otlp__Stack *stack;
	Otlp__Request *request;

	(void)state;
	make_pair(STORE_OTLP);
	request = encode(2);
	dictionary = request->dictionary;
	assert_string_equal(dictionary->string_table[0], "");
	assert_int_equal(dictionary->n_mapping_table, 3);
	assert_int_equal(dictionary->n_location_table, 4);
	assert_int_equal(dictionary->n_function_table, 4);
	assert_int_equal(dictionary->n_stack_table, 3);
	assert_int_equal(dictionary->n_link_table, 1);
	assert_int_equal(dictionary->n_attribute_table, 2);
	assert_string_equal(dictionary->attribute_table[1]->value->string_value, "010203");
	stack = dictionary->stack_table[1];
	assert_int_equal(stack->n_location_indices, 2);
	assert_string_equal(
		text_at(request, dictionary
					 ->function_table[dictionary->location_table[stack->location_indices[0]]
								  ->lines[0]
								  ->function_index]
					 ->name_strindex),
		"leaf");
	otlp__request__free_unpacked(request, NULL);
}

static void test_otlp_resource_says_whose_it_is(void **state)
{
	const Otlp__Resource *resource;
	Otlp__Request *request;
	u32 seen = 0;

	(void)state;
	make_pair(STORE_OTLP);
	pair[1].part = 2;
	request = encode(2);
	assert_int_equal(request->n_resource_profiles, 2);
	resource = request->resource_profiles[1]->resource;
	for (size_t i = 0; i < resource->n_attributes; i++) {
		const Otlp__KeyValue *attribute = resource->attributes[i];

		if (!strcmp(attribute->key, "process.pid"))
			seen += attribute->value->int_value == 7;
		if (!strcmp(attribute->key, "service.name"))
			seen += !strcmp(attribute->value->string_value, "made");
		if (!strcmp(attribute->key, LABEL_PART))
			seen += !strcmp(attribute->value->string_value, "2");
	}
	assert_int_equal(seen, 3);
	assert_int_equal(request->resource_profiles[0]->resource->n_attributes + 1, resource->n_attributes);
	otlp__request__free_unpacked(request, NULL);
}

/* A stack of none of a profile's measures is not in its request. */
static void test_otlp_leaves_out_what_is_zero(void **state)
{
	Otlp__Request *request;

	(void)state;
	make_pair(STORE_OTLP);
	sums.rows[1].value[INUSE_OBJECTS] = sums.rows[1].value[INUSE_SPACE] = 0;
	sums.rows[0].value[INUSE_SPACE] = 0; /* of objects of no bytes */
	request = encode(1);
	assert_int_equal(request->resource_profiles[0]->scope_profiles[0]->n_profiles, 1);
	assert_int_equal(request->dictionary->n_stack_table, 2);
	assert_int_equal(request->dictionary->n_location_table, 3);
	otlp__request__free_unpacked(request, NULL);
}

/* A collector counts what it rejects in these. */
static void test_otlp_number_is_that_of_the_profiles_in_the_request(void **state)
{
	(void)state;
	make_pair(STORE_OTLP);
	assert_int_equal(otlp_number(pair, 2), 4);
	assert_int_equal(otlp_number(pair, 1), 2);
	sums.rows[0].value[INUSE_SPACE] = sums.rows[1].value[INUSE_SPACE] = 0;
	assert_int_equal(otlp_number(pair, 1), 1);
}

static void test_otlp_request_that_is_too_large_is_none(void **state)
{
	unsigned char *body;
	size_t size;
	char *name;

	(void)state;
	make_pair(STORE_OTLP);
	name = make_too_large();
	assert_int_equal(otlp_encode(pair, 2, &body, &size), -EFBIG);
	free(name);
}

#define TEST(name) cmocka_unit_test_teardown(name, release_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_otlp_has_a_profile_for_each_measure),
		TEST(test_otlp_dictionary_has_each_once),
		TEST(test_otlp_resource_says_whose_it_is),
		TEST(test_otlp_leaves_out_what_is_zero),
		TEST(test_otlp_number_is_that_of_the_profiles_in_the_request),
		TEST(test_otlp_request_that_is_too_large_is_none),
	};

	return cmocka_run_group_tests_name("otlp", tests, NULL, NULL);
}
