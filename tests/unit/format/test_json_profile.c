/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json_profile.c against literal files, and read back by a parser. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>

#include "unit/profile/golden.h"
#include "printed.h"
#include "format/index_write.h"
#include "format/json_profile.h"

static char *write_string(const struct profile *profile)
{
	struct printed printed;

	assert_int_equal(json_profile_write(profile, printed_open(&printed)), 0);
	return printed_close(&printed);
}

static char *index_string(const struct recording *recording, const struct index_entry *entries, u32 count)
{
	struct printed printed;

	assert_int_equal(index_write(recording, entries, count, printed_open(&printed)), 0);
	return printed_close(&printed);
}

static cJSON *parse(const char *text)
{
	cJSON *json = cJSON_ParseWithOpts(text, NULL, true);

	assert_non_null(json);
	return json;
}

/* Every counter under its name; then the ledgers are emptied, so that a new counter does not change the golden files.
 */
static void take_ledger(char *text, const u64 ledger[COUNTER_MAX])
{
	static const char key[] = "\"ledger\":{";
	char *at = strstr(text, key), *end, counter[128];

	assert_non_null(at);
	at += sizeof(key) - 1;
	end = strchr(at, '}');
	assert_non_null(end);
	*end = '\0';
#define X(id, name, meaning)                                                                                           \
	snprintf(counter, sizeof(counter), "\"" #name "\":%" PRIu64, ledger[COUNTER_##id]);                            \
	assert_non_null(strstr(at, counter));
	COUNTERS(X)
#undef X
	*end = '}';
	memmove(at, end, strlen(end) + 1);
}

static void assert_written(const struct profile *profile, const char *name)
{
	char *text = write_string(profile);

	cJSON_Delete(parse(text));
	take_ledger(text, profile->ledger);
	assert_golden(text, name);
	free(text);
}

static void test_write_json_small_profile_matches_golden_file(void **state)
{
	struct profile profile = golden_small();

	(void)state;
	assert_written(&profile, "small.json");
}

static void test_write_json_living_profile_matches_golden_file(void **state)
{
	struct profile profile = golden_living();

	(void)state;
	assert_written(&profile, "living.json");
}

static void test_write_json_empty_profile_matches_golden_file(void **state)
{
	struct profile profile = golden_empty();

	(void)state;
	assert_written(&profile, "empty.json");
}

static void test_write_json_alloc_only_profile_has_null_in_use(void **state)
{
	struct profile profile = golden_alloc_only();
	char *text = write_string(&profile);
	cJSON *json = parse(text), *totals = cJSON_GetObjectItem(json, "totals");
	cJSON *sample = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "samples"), 0);

	(void)state;
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "alloc_only")));
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(totals, "inuse_space")));
	assert_true(cJSON_IsNumber(cJSON_GetObjectItem(totals, "alloc_space")));
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(sample, "inuse_samples")));
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(sample, "inuse_objects")));
	cJSON_Delete(json);
	free(text);
}

static void test_write_json_integers_beyond_doubles_are_exact(void **state)
{
	struct profile profile = golden_small();
	char *text;

	(void)state;
	profile.ledger[COUNTER_HITS_ALLOC] = UINT64_MAX;
	profile.cpu_ns = (1ULL << 53) + 1;
	text = write_string(&profile);
	assert_non_null(strstr(text, "\"hits_alloc\":18446744073709551615"));
	assert_non_null(strstr(text, "\"cpu_ns\":9007199254740993,"));
	free(text);
}

static void test_write_json_odd_bytes_are_replaced_and_escaped(void **state)
{
	struct profile profile = golden_empty();
	char *text;
	cJSON *json;

	(void)state;
	profile.comm = (char *)"q\"\\\x01\n\xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82";
	profile.exe = (char *)"/\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\xc2\x9b\xc2\xa0";
	profile.hit_cost_ns = NAN;
	text = write_string(&profile);
	json = parse(text);
	/* Terminals obey DEL and C1 too. */
	assert_non_null(strstr(text, "\\u007f\\u009b\xc2\xa0\""));
#define R "\xef\xbf\xbd"
	assert_string_equal(cJSON_GetObjectItem(json, "comm")->valuestring, "q\"\\\x01\n" R R R R R R R R R R R R);
	assert_string_equal(cJSON_GetObjectItem(json, "exe")->valuestring, profile.exe);
#undef R
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "cost"), "hit_cost_ns")));
	cJSON_Delete(json);
	free(text);
}

static void test_write_json_full_device_is_reported(void **state)
{
	struct profile profile = golden_small();
	FILE *out = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(out);
	assert_int_equal(json_profile_write(&profile, out), -ENOSPC);
	fclose(out);
}

/* --- the index --- */

static const char *const options[] = {"-R", "512K", "--", "prog", "odd \"\xff\"", NULL};
static const struct recording recording = {
	.version = "0.1.0",
	.sample_bytes = 524288,
	.attach = "session",
	.start_unix_ns = 1700000000123456789,
	.duration_ns = 5000000000,
	.processes_missing = 151,
	.processes_refused = 3,
	.options = options,
};

static void test_write_index_two_processes_match_golden_file(void **state)
{
	struct profile small = golden_small(), empty = golden_empty();
	char *files[] = {(char *)"4242.small.pb.gz", (char *)"4242.small.txt", NULL};
	struct index_entry entries[] = {index_entry_of(&small, files), index_entry_of(&empty, NULL)};
	u64 sum[COUNTER_MAX];
	char *text;

	(void)state;
	empty.ledger[COUNTER_HITS_ALLOC] = 5;
	text = index_string(&recording, entries, 2);
	cJSON_Delete(parse(text));
	for (int i = 0; i < COUNTER_MAX; i++)
		sum[i] = small.ledger[i] + empty.ledger[i];
	take_ledger(text, sum);
	take_ledger(strstr(text, "\"processes\":["), small.ledger);
	take_ledger(strstr(text, "\"pid\":7"), empty.ledger);
	assert_golden(text, "index.json");
	free(text);
}

static void test_write_index_no_process_is_an_empty_list(void **state)
{
	char *text = index_string(&recording, NULL, 0);
	cJSON *json = parse(text);

	(void)state;
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "processes")), 0);
	assert_true(cJSON_IsArray(cJSON_GetObjectItem(json, "processes")));
	assert_int_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "ledger"), "sampled")->valueint, 0);
	cJSON_Delete(json);
	free(text);
}

static void test_write_index_alloc_only_totals_are_integers(void **state)
{
	struct profile profile = golden_alloc_only();
	struct index_entry entry = index_entry_of(&profile, NULL);
	char *text = index_string(&recording, &entry, 1);
	cJSON *json = parse(text), *process = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "processes"), 0);

	(void)state;
	assert_int_equal(cJSON_GetObjectItem(process, "inuse_space")->valueint, 0);
	assert_true(cJSON_IsNumber(cJSON_GetObjectItem(process, "inuse_objects")));
	assert_int_equal(cJSON_GetObjectItem(process, "alloc_space")->valueint, 9220291);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(process, "files")), 0);
	cJSON_Delete(json);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_json_small_profile_matches_golden_file),
		cmocka_unit_test(test_write_json_living_profile_matches_golden_file),
		cmocka_unit_test(test_write_json_empty_profile_matches_golden_file),
		cmocka_unit_test(test_write_json_alloc_only_profile_has_null_in_use),
		cmocka_unit_test(test_write_json_integers_beyond_doubles_are_exact),
		cmocka_unit_test(test_write_json_odd_bytes_are_replaced_and_escaped),
		cmocka_unit_test(test_write_json_full_device_is_reported),
		cmocka_unit_test(test_write_index_two_processes_match_golden_file),
		cmocka_unit_test(test_write_index_no_process_is_an_empty_list),
		cmocka_unit_test(test_write_index_alloc_only_totals_are_integers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
