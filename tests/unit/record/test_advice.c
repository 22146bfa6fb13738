/* SPDX-License-Identifier: GPL-2.0-or-later */
/* advice.c: what a reader is told to type next time, and that others are told nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit/base/capture.h"

#include "record/advice.h"
#include "system/address_map.h"

#define MIB (1ull << 20)

enum {
	NAMED,
	STRIPPED,
	COMPILED
};

static struct capture said;

/* Three samples of `bytes`, all in use: in a named function, in a file's code without a name, and below compiled code. */
static struct profile make_profile(const u64 bytes[3], u64 resident)
{
	static struct profile_line line = {.function = (char *)"work"};
	static struct profile_mapping mapping = {.path = (char *)"/usr/bin/stripped-1.2"};
	static struct profile_location locations[] = {
		[NAMED] = {.mapping = 0, .line_count = 1, .lines = &line},
		[STRIPPED] = {.mapping = 0},
		[COMPILED] = {.mapping = MAPPING_UNKNOWN},
	};
	static u32 stacks[3][2] = {{NAMED, NAMED}, {STRIPPED, NAMED}, {NAMED, COMPILED}};
	static struct profile_sample samples[3];

	for (int i = 0; i < 3; i++)
		samples[i] = (struct profile_sample){
			.location = stacks[i], .depth = 2, .size = bytes[i], .alloc_count = 1, .inuse_count = 1};
	return (struct profile){.pid = 7,
				.comm = (char *)"program",
				.sample_bytes = 1,
				.mappings = &mapping,
				.mapping_count = 1,
				.locations = locations,
				.location_count = 3,
				.samples = samples,
				.sample_count = 3,
				.rss_end_bytes = resident};
}

/* What is said of one process that maps that file. */
static const char *advise(const char *path, const u64 bytes[3], u64 resident)
{
	struct image image = {.mappings = address_map_new()};
	struct mapping mapping = {.start = 1, .end = 2, .path = (char *)path};
	struct profile profile = make_profile(bytes, resident);
	struct advice advice = {0};

	assert_non_null(image.mappings);
	assert_int_equal(address_map_add(image.mappings, &mapping), 0);
	advice_note(&advice, &image, &profile);
	capture_begin(&said, stderr);
	advice_say(&advice);
	capture_end(&said);
	address_map_free(image.mappings);
	return said.text;
}

static void assert_says(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("no \"%s\" in:\n%s", wanted, text);
}

static void test_advice_tells_of_a_heap_that_is_not_mallocs(void **state)
{
	static const u64 bytes[3] = {9 * MIB, 0, 0};

	(void)state;
	assert_says(
		advise("/usr/lib/jvm/libjvm.so", bytes, 100 * MIB),
		"pid 7 (program): as far as is known 9.0 MiB of 100.0 MiB resident came from malloc. It is a Java virtual "
		"machine: ");
	assert_says(said.text, "see docs/languages.md\n");
}

/* malloc has half of it; it is small; or nothing is known of the program. */
static void test_advice_is_silent_where_malloc_tells_enough(void **state)
{
	static const u64 bytes[3] = {9 * MIB, 0, 0};

	(void)state;
	assert_string_equal(advise("/usr/lib/jvm/libjvm.so", bytes, 18 * MIB), "");
	assert_says(advise("/usr/lib/jvm/libjvm.so", bytes, 18 * MIB + 1), "Java");
	assert_string_equal(advise("/usr/lib/jvm/libjvm.so", (const u64[3]){MIB, 0, 0}, 16 * MIB - 1), "");
	assert_string_equal(advise("/usr/sbin/nginx", bytes, 100 * MIB), "");
}

static void test_advice_tells_how_compiled_code_gets_names(void **state)
{
	(void)state;
	assert_says(
		advise("/usr/bin/node", (const u64[3]){80, 0, 20}, 0),
		"pid 7 (program): 20 % of the bytes come through compiled code without names; 'node --perf-basic-prof "
		"--interpreted-frames-native-stack' names it");
	assert_says(advise("/usr/bin/other", (const u64[3]){80, 0, 20}, 0), "/tmp/perf-PID.map names it");
	assert_string_equal(advise("/usr/bin/node", (const u64[3]){91, 0, 9}, 0), "");
}

static void test_advice_tells_how_files_get_names(void **state)
{
	(void)state;
	assert_says(
		advise("/usr/bin/python3.11", (const u64[3]){20, 80, 0}, 0),
		"80 % of the bytes come from code of 'stripped-1.2' without names; its debug symbols (a package -dbgsym, "
		"or DEBUGINFOD_URLS) name it, 'python3 -X perf' (3.12 and later) the program's own functions");
	assert_says(advise("/usr/bin/other", (const u64[3]){20, 80, 0}, 0), "DEBUGINFOD_URLS) name it; see");
	assert_string_equal(advise("/usr/bin/other", (const u64[3]){91, 9, 0}, 0), "");
}

/* The process is shown that it holds of most. */
static void test_advice_counts_processes(void **state)
{
	struct image image = {.mappings = address_map_new()};
	struct mapping mapping = {.start = 1, .end = 2, .path = (char *)"/usr/bin/node"};
	struct advice advice = {0};

	(void)state;
	assert_int_equal(address_map_add(image.mappings, &mapping), 0);
	for (u32 i = 1; i <= 3; i++) {
		struct profile profile = make_profile((const u64[3]){MIB, 0, 0}, (i == 2 ? 90 : 50) * MIB);

		profile.pid = i;
		advice_note(&advice, &image, &profile);
	}
	capture_begin(&said, stderr);
	advice_say(&advice);
	capture_end(&said);
	assert_says(said.text, "pid 2 (program) and 2 more: as far as is known 1.0 MiB of 90.0 MiB");
	address_map_free(image.mappings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_advice_tells_of_a_heap_that_is_not_mallocs),
		cmocka_unit_test(test_advice_is_silent_where_malloc_tells_enough),
		cmocka_unit_test(test_advice_tells_how_compiled_code_gets_names),
		cmocka_unit_test(test_advice_tells_how_files_get_names),
		cmocka_unit_test(test_advice_counts_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
