/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_memory.c, and that .json and .pb.gz keep all that it prints. */
#include "unit/format/pprof_file.h"
#include "unit/format/printed.h"

#include <cjson/cJSON.h>

#include "format/json_memory.h"
#include "format/table_memory.h"

#define MIB (1ULL << 20)

static struct memory_parts parts_of_all(void)
{
	struct memory_parts parts = {
		.known = true,
		.processes = 1,
		.read_unix_ns = 1700000000000000000,
		.stacks = 11,
		.share = 150 * MIB,
		.heap_lazy = 3 * MIB,
		.counter = 190 * MIB,
		.inuse_known = true,
		.inuse = 10 * MIB,
		.inuse_error = MIB / 2.0,
		.other_count = 2,
	};

	parts.part[MEMORY_HEAP] = (struct memory_amount){106 * MIB, 2 * MIB, 0};
	parts.part[MEMORY_STACKS].resident = 20 * MIB;
	parts.part[MEMORY_FILES].resident = 51 * MIB;
	parts.part[MEMORY_SHARED].resident = 4 * MIB;
	parts.part[MEMORY_OTHERS] = (struct memory_amount){8 * MIB, 0, 16 * MIB};
	parts.others[0] = (struct memory_other){"HugeTLB", 1, {0, 0, 16 * MIB}};
	parts.others[1] = (struct memory_other){"Go: heap", 2, {8 * MIB, 0, 0}};
	return parts;
}

/* The table of an allocator that says what it keeps free. */
static struct memory_parts parts_with_free(void)
{
	struct memory_parts parts = parts_of_all();

	parts.free_known = true;
	parts.free = 64 * MIB;
	return parts;
}

static void check_line(const struct memory_parts *parts, const char *wanted)
{
	char text[TABLE_MEMORY_LINE_SIZE];

	assert_string_equal(table_memory_line(parts, 200, text), wanted);
}

static void test_table_memory_line_puts_parts_together_where_columns_are_few(void **state)
{
	struct memory_parts parts = parts_of_all();
	struct cgroup_usage usage = {true, 512 * MIB, 1024 * MIB, 300 * MIB, 150 * MIB, 40 * MIB, 2 * MIB, MIB};
	char text[TABLE_MEMORY_LINE_SIZE];

	(void)state;
	assert_string_equal(
		table_memory_line(&parts, 100, text),
		"189 MiB = 10 in use + 96 rest of heap + 20 stacks + 51 files + 12 more; 2 swapped out; 16 HugeTLB");
	assert_string_equal(table_memory_line(&parts, 80, text),
			    "189 MiB = 10 in use + 96 rest of heap + 83 more; 2 swapped out; 16 HugeTLB");
	assert_string_equal(table_memory_line(&parts, 67, text),
			    "189 MiB = 106 heap + 83 more; 2 swapped out; 16 HugeTLB");
	assert_string_equal(table_memory_group_line(&usage, 80, text),
			    "512 MiB = 300 anon + 150 file + 40 kernel + 2 sock; 1 swapped out; limit 1.0 GiB");
	assert_string_equal(table_memory_group_line(&usage, 67, text),
			    "512 MiB = 300 anon + 150 file + 40 kernel; limit 1.0 GiB");
	for (unsigned int i = 0; i < MEMORY_PART_MAX; i++)
		parts.part[i].swap = parts.part[i].hugetlb = 0;
	assert_string_equal(table_memory_line(&parts, 67, text),
			    "189 MiB = 10 in use + 96 rest of heap + 51 files + 32 more");
	usage.known = false;
	assert_string_equal(table_memory_group_line(&usage, 67, text), "");
}

static void test_table_memory_line_has_every_part_in_one_unit(void **state)
{
	struct memory_parts parts = parts_of_all();

	(void)state;
	check_line(&parts, "189 MiB = 10 in use + 96 rest of heap + 20 stacks + 51 files + 4 shared + 8 others; "
			   "2 swapped out; 16 HugeTLB");
	parts.inuse = 1000 * MIB; /* not touched */
	check_line(&parts, "189 MiB = 106 heap (1000 in use) + 20 stacks + 51 files + 4 shared + 8 others; "
			   "2 swapped out; 16 HugeTLB");
	parts.inuse_known = false;
	check_line(&parts,
		   "189 MiB = 106 heap + 20 stacks + 51 files + 4 shared + 8 others; 2 swapped out; 16 HugeTLB");
	parts = (struct memory_parts){.known = true, .inuse_known = true, .inuse = 1024};
	parts.part[MEMORY_HEAP].resident = 4096;
	parts.part[MEMORY_FILES].resident = 40960;
	check_line(&parts, "44.0 KiB = 1.0 in use + 3.0 rest of heap + 40.0 files");
	check_line(&(struct memory_parts){0}, "");
}

/* What is less than half of the last digit is left out, not "+ 0". */
static void test_table_memory_line_leaves_out_what_is_too_small(void **state)
{
	struct memory_parts parts = {.known = true, .inuse_known = true, .inuse = 100};

	(void)state;
	parts.part[MEMORY_HEAP].resident = 5ULL << 30;
	parts.part[MEMORY_STACKS].resident = 8192;
	check_line(&parts, "5.0 GiB = 5.0 rest of heap");
	parts.inuse_known = false;
	parts.part[MEMORY_HEAP].resident = 0;
	parts.part[MEMORY_FILES].resident = 5ULL << 30;
	check_line(&parts, "5.0 GiB = 5.0 files");
}

static char *print(const struct profile *profile)
{
	struct printed printed;

	table_memory_print(profile, printed_open(&printed));
	return printed_close(&printed);
}

static void test_table_memory_prints_each_part_in_a_line(void **state)
{
	struct profile profile = golden_living();
	char *text;

	(void)state;
	profile.memory = parts_of_all();
	text = print(&profile);
	assert_string_equal(
		text, "\nMemory: 189.0 MiB resident, and 2.0 MiB swapped out, and 16.0 MiB in HugeTLB pages\n"
		      "     106.0 MiB  heap, and 2.0 MiB swapped out\n"
		      "        10.0 MiB  in use, ±512.0 KiB\n"
		      "        96.0 MiB  allocated before heaptap came, rounded up, or kept free by the allocator\n"
		      "         3.0 MiB  of the heap the kernel may take back (LazyFree)\n"
		      "      20.0 MiB  stacks of threads, 11 mappings\n"
		      "      51.0 MiB  code and other files that are mapped\n"
		      "       4.0 MiB  memory shared with other processes\n"
		      "       8.0 MiB  anonymous mappings of others than the allocator, and 16.0 MiB in HugeTLB pages\n"
		      "             0 B  HugeTLB, 1 mapping, and 16.0 MiB in HugeTLB pages\n"
		      "         8.0 MiB  Go: heap, 2 mappings\n"
		      "     190.0 MiB  by VmRSS, which the kernel counts apart from the mappings, and late\n"
		      "     150.0 MiB  where a page that n processes have counts for one n-th (PSS)\n");
	free(text);
	profile.memory.known = false;
	text = print(&profile);
	assert_string_equal(text, "");
	free(text);
}

static void test_table_memory_tells_what_is_free_from_what_is_older(void **state)
{
	struct profile profile = golden_living();
	char *text;

	(void)state;
	profile.memory = parts_with_free();
	check_line(&profile.memory,
		   "189 MiB = 10 in use + 64 free + 32 rest of heap + 20 stacks + 51 files + 4 shared + 8 others; "
		   "2 swapped out; 16 HugeTLB");
	text = print(&profile);
	assert_non_null(strstr(text, "        10.0 MiB  in use, ±512.0 KiB\n"
				     "        64.0 MiB  kept free by glibc's malloc, at least\n"
				     "        32.0 MiB  allocated before heaptap came, rounded up\n"));
	free(text);
	profile.memory.inuse = 50 * MIB; /* an estimate may be too high */
	text = print(&profile);
	assert_non_null(strstr(text, "        56.0 MiB  kept free by glibc's malloc, at least\n"
				     "             0 B  allocated before heaptap came, rounded up\n"));
	free(text);
}

static void test_table_memory_of_a_process_that_ended_says_how_old_it_is(void **state)
{
	struct profile profile = golden_small();
	char *text;

	(void)state;
	profile.memory = parts_of_all();
	profile.memory.read_unix_ns = profile.start_unix_ns + profile.duration_ns - 1500000000;
	text = print(&profile);
	assert_non_null(strstr(text, "\n  (as it was 1.5 s before the end)\n"));
	free(text);
}

static struct memory_parts through_json(const struct memory_parts *parts)
{
	struct printed printed;
	struct memory_parts back;
	struct json json;
	cJSON *document;
	char *text;

	json_begin(&json, printed_open(&printed));
	json_memory_write(&json, parts);
	assert_int_equal(json_end(&json), 0);
	text = printed_close(&printed);
	document = cJSON_Parse(text);
	assert_non_null(document);
	back = json_memory_read(cJSON_GetObjectItem(document, "memory"));
	cJSON_Delete(document);
	free(text);
	return back;
}

/* Each of several tells its largest names alone. */
static void test_table_memory_of_several_names_others_at_least(void **state)
{
	struct profile profile = golden_living();
	char *text;

	(void)state;
	profile.memory = parts_of_all();
	text = print(&profile);
	assert_non_null(strstr(text, "Go: heap, 2 mappings\n"));
	free(text);
	profile.memory.processes = 2;
	text = print(&profile);
	assert_non_null(strstr(text, "Go: heap, 2 mappings, at least\n"));
	free(text);
}

static void test_table_memory_is_the_same_read_back_from_json(void **state)
{
	struct profile profile = golden_living(), back = profile;
	char *text, *text_back;

	(void)state;
	profile.memory = parts_with_free();
	back.memory = through_json(&profile.memory);
	text = print(&profile);
	text_back = print(&back);
	assert_string_equal(text, text_back);
	assert_int_equal(back.memory.counter, profile.memory.counter);
	assert_int_equal(back.memory.processes, 1);
	free(text);
	free(text_back);
	profile.memory = (struct memory_parts){0};
	assert_false(through_json(&profile.memory).known);
}

static void test_table_memory_of_a_hostile_index_counts_as_missing(void **state)
{
	cJSON *json = cJSON_Parse(
		"{\"inuse_space\":-1,\"inuse_standard_error\":1e999,\"counter_bytes\":1e300,\"parts\":[1],\"processes\":\"x\","
		"\"others\":[1,{\"name\":7},{\"name\":\"a\",\"resident_bytes\":[]},{\"name\":\"b\"},"
		"{\"name\":\"c\"},{\"name\":\"d\"},{\"name\":\"e\"},{\"name\":\"f\"}]}");
	struct memory_parts parts = json_memory_read(json);

	(void)state;
	assert_true(parts.known);
	assert_int_equal(memory_sum(&parts).resident, 0);
	assert_int_equal(parts.counter, 0);
	assert_true(parts.inuse_error == 0);
	assert_int_equal(parts.other_count, MEMORY_OTHERS_MAX);
	cJSON_Delete(json);
	assert_false(json_memory_read(NULL).known);
}

static void test_table_memory_is_the_same_read_back_from_a_pprof_file(void **state)
{
	struct profile profile = golden_living(), *back;
	char *text, *text_back;

	(void)state;
	profile.memory = parts_with_free();
	back = read_back(&profile);
	text = print(&profile);
	text_back = print(back);
	assert_string_equal(text, text_back);
	assert_int_equal(back->memory.counter, profile.memory.counter);
	free(text);
	free(text_back);
	profile_free(back);
	profile.memory.known = false;
	back = read_back(&profile);
	assert_false(back->memory.known);
	profile_free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_memory_line_has_every_part_in_one_unit),
		cmocka_unit_test(test_table_memory_line_puts_parts_together_where_columns_are_few),
		cmocka_unit_test(test_table_memory_line_leaves_out_what_is_too_small),
		cmocka_unit_test(test_table_memory_prints_each_part_in_a_line),
		cmocka_unit_test(test_table_memory_tells_what_is_free_from_what_is_older),
		cmocka_unit_test(test_table_memory_of_a_process_that_ended_says_how_old_it_is),
		cmocka_unit_test(test_table_memory_of_several_names_others_at_least),
		cmocka_unit_test(test_table_memory_is_the_same_read_back_from_json),
		cmocka_unit_test(test_table_memory_of_a_hostile_index_counts_as_missing),
		cmocka_unit_test(test_table_memory_is_the_same_read_back_from_a_pprof_file),
	};

	return cmocka_run_group_tests(tests, make_file, close_file);
}
