/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pyroscope.c and parca.c: the JSON as each store's message has it. What is in the files, test_pprof_stacks.c checks. */
#include "encoded.h"

#include <cjson/cJSON.h>

#include "push/parca.h"
#include "push/pyroscope.h"

static cJSON *encode(const struct push_store *store, u32 count)
{
	unsigned char *body;
	size_t size;
	cJSON *json;

	assert_int_equal(store->encode(pair, count, &body, &size), 0);
	json = cJSON_ParseWithLength((const char *)body, size);
	assert_non_null(json);
	free(body);
	return json;
}

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	assert_non_null(text);
	return text;
}

static void assert_label(const cJSON *list, const char *name, const char *value)
{
	const cJSON *label;

	cJSON_ArrayForEach (label, list)
		if (!strcmp(text_of(label, "name"), name)) {
			assert_non_null(value);
			assert_string_equal(text_of(label, "value"), value);
			return;
		}
	if (value)
		fail_msg("no label '%s'", name);
}

/* The series' only sample. */
static const cJSON *sample_of(const cJSON *series)
{
	const cJSON *samples = cJSON_GetObjectItemCaseSensitive(series, "samples");

	assert_int_equal(cJSON_GetArraySize(samples), 1);
	/* base64 of gzip's magic */
	assert_memory_equal(text_of(samples->child, "rawProfile"), "H4sI", 4);
	return samples->child;
}

static void test_pyroscope_has_labels_ids_and_files(void **state)
{
	cJSON *json;
	const cJSON *series, *list, *first, *second;

	(void)state;
	make_pair(STORE_PYROSCOPE);
	json = encode(push_store_of(STORE_PYROSCOPE), 2);
	series = cJSON_GetObjectItemCaseSensitive(json, "series");
	assert_int_equal(cJSON_GetArraySize(series), 2);
	list = cJSON_GetObjectItemCaseSensitive(series->child, "labels");
	assert_label(list, "__name__", "memory");
	assert_label(list, "__delta__", "false");
	assert_label(list, "service_name", "made");
	assert_label(list, "pid", "7");
	assert_label(list, LABEL_PART, NULL);
	first = sample_of(series->child);
	second = sample_of(series->child->next);
	assert_int_equal(strlen(text_of(first, "ID")), 36);
	assert_int_equal(text_of(first, "ID")[14], '4');
	assert_string_not_equal(text_of(first, "ID"), text_of(second, "ID"));
	cJSON_Delete(json);
}

static void test_parca_has_sets_of_labels_and_files(void **state)
{
	cJSON *json;
	const cJSON *series, *set, *list;

	(void)state;
	make_pair(STORE_PARCA);
	pair[0].part = 3;
	json = encode(push_store_of(STORE_PARCA), 1);
	series = cJSON_GetObjectItemCaseSensitive(json, "series");
	assert_int_equal(cJSON_GetArraySize(series), 1);
	set = cJSON_GetObjectItemCaseSensitive(series->child, "labels");
	list = cJSON_GetObjectItemCaseSensitive(set, "labels");
	assert_label(list, "__name__", "memory");
	assert_label(list, "__delta__", NULL);
	assert_label(list, "node", "here");
	assert_label(list, LABEL_PART, "3");
	sample_of(series->child);
	cJSON_Delete(json);
}

static void test_raw_series_of_a_profile_that_is_too_large_are_none(void **state)
{
	unsigned char *body;
	size_t size;
	char *name;

	(void)state;
	make_pair(STORE_PYROSCOPE);
	name = make_too_large();
	assert_int_equal(pyroscope_encode(pair, 2, &body, &size), -EFBIG);
	assert_int_equal(parca_encode(pair, 1, &body, &size), -EFBIG);
	free(name);
}

#define TEST(name) cmocka_unit_test_teardown(name, release_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pyroscope_has_labels_ids_and_files),
		TEST(test_parca_has_sets_of_labels_and_files),
		TEST(test_raw_series_of_a_profile_that_is_too_large_are_none),
	};

	return cmocka_run_group_tests_name("raw_series", tests, NULL, NULL);
}
