/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish.c and aggregate.c, on several processes: images that end, are taken from the recorder, written or merged; the
 * index and the merged files.
 */
#include "publication_scene.h"

#include <sys/resource.h>

#include "format/pprof_read.h"

/* The totals of a row, and of the first of its files, are these. */
static void add_row(const cJSON *row, double total[MEASURE_MAX])
{
	static const char *const names[MEASURE_MAX] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};
	const cJSON *file = cJSON_GetArrayItem(cJSON_GetObjectItem(row, "files"), 0);
	u64 totals[MEASURE_MAX] = {0};
	struct profile *profile;

	if (file) {
		assert_int_equal(pprof_read(file->valuestring, &profile), 0);
		profile_totals(profile, totals);
		profile_free(profile);
	}
	for (int m = 0; m < MEASURE_MAX; m++) {
		assert_true(number(row, names[m]) == (double)totals[m]);
		total[m] += number(row, names[m]);
	}
}

/* Every file says what its line says, and what is merged is the sum of its parts. */
static void assert_sums(const cJSON *index)
{
	const cJSON *row;
	double parts[MEASURE_MAX] = {0}, all[MEASURE_MAX] = {0};

	for (row = cJSON_GetObjectItem(index, "processes")->child; row; row = row->next)
		add_row(row, parts);
	for (row = cJSON_GetObjectItem(index, "merged")->child; row; row = row->next) {
		double ignored[MEASURE_MAX] = {0};

		add_row(row, strcmp(cJSON_GetObjectItem(row, "name")->valuestring, "all") ? ignored : all);
	}
	assert_true(parts[ALLOC_OBJECTS] > 0);
	assert_memory_equal(parts, all, sizeof(parts));
}

static void assert_part(const cJSON *row, const char *name, u32 processes, double inuse_space)
{
	const cJSON *part = cJSON_GetObjectItem(row, name);

	assert_int_equal(number(part, "processes"), processes);
	assert_true(number(part, "inuse_space") == inuse_space);
}

static void test_publish_population_tells_now_from_at_exit(void **state)
{
	const cJSON *rows, *all;
	double gone, lives;
	cJSON *index;

	(void)state;
	recorder_end(recorder, begin_sampled(1, 501, "gone", "c0ffee"), 500);
	begin_sampled(2, 502, "lives", "c0ffee");
	assert_int_equal(publish_everything(), STATUS_DONE);
	index = read_index_file();
	rows = cJSON_GetObjectItem(index, "processes");
	gone = number(cJSON_GetArrayItem(rows, 0), "inuse_space");
	lives = number(cJSON_GetArrayItem(rows, 1), "inuse_space");
	assert_true(gone > 0 && lives > 0);
	assert_part(index, "living", 1, lives);
	assert_part(index, "ended", 1, gone);
	all = cJSON_GetArrayItem(cJSON_GetObjectItem(index, "merged"), 1);
	assert_part(all, "living", 1, lives);
	assert_part(all, "ended", 1, gone);
	cJSON_Delete(index);
}

static void test_publish_population_writes_processes_container_and_all(void **state)
{
	static const char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	cJSON *index, *merged;

	(void)state;
	recorder_end(recorder, begin_sampled(1, 501, "first", id), 500);
	begin_sampled(2, 502, "second", id);
	begin_sampled(3, 503, "third", NULL);
	begin(4, 504);
	take_ended();
	assert_null(recorder_find(recorder, 1));
	assert_true(scratch_has("501.first.pb.gz"));
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_true(scratch_has("502.second.pb.gz"));
	assert_true(scratch_has("merged/container.0123456789ab.pb.gz"));
	index = read_index_file();
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(index, "processes")), 4);
	assert_sums(index);
	merged = cJSON_GetArrayItem(cJSON_GetObjectItem(index, "merged"), 0);
	assert_string_equal(cJSON_GetObjectItem(merged, "container")->valuestring, id);
	assert_int_equal(number(merged, "processes"), 2);
	merged = cJSON_GetArrayItem(cJSON_GetObjectItem(index, "merged"), 1);
	assert_string_equal(cJSON_GetObjectItem(merged, "name")->valuestring, "all");
	assert_int_equal(number(merged, "processes"), 4);
	assert_int_equal(number(cJSON_GetObjectItem(merged, "ledger"), "sampled"), 9);
	cJSON_Delete(index);
	assert_non_null(strstr(printed.text, " in 3 processes; 1 ended with "));
	assert_non_null(strstr(printed.text, "502  second"));
	assert_non_null(strstr(printed.text, "all, 4 processes merged"));
	assert_non_null(strstr(printed.text, "1 without a sample"));
}

static void test_publish_population_beyond_keep_merges_by_executable(void **state)
{
	enum {
		KEEP = 3,
		MORE = 40
	};
	const cJSON *rows, *last;
	cJSON *index;

	(void)state;
	options.keep = KEEP;
	for (u32 i = 1; i <= KEEP + MORE; i++) {
		recorder_end(recorder, begin_sampled(i, 500 + i, i % 2 ? "odd" : "even", NULL), 500);
		if (i % 10 == 0)
			take_ended();
	}
	take_ended();
	assert_null(recorder_take_ended(recorder));
	begin_sampled(100, 700, "living", NULL);
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_true(scratch_has("501.odd.pb.gz"));
	assert_true(scratch_has("503.odd.pb.gz"));
	assert_false(scratch_has("504.even.pb.gz"));
	assert_true(scratch_has("700.living.pb.gz"));
	assert_true(scratch_has("merged.program.pb.gz"));
	index = read_index_file();
	rows = cJSON_GetObjectItem(index, "processes");
	assert_int_equal(cJSON_GetArraySize(rows), KEEP + 1 + 1);
	last = cJSON_GetArrayItem(rows, KEEP + 1);
	assert_int_equal(number(last, "processes"), MORE);
	assert_string_equal(cJSON_GetObjectItem(last, "exe")->valuestring, "/usr/bin/program");
	assert_int_equal(number(cJSON_GetObjectItem(last, "ledger"), "sampled"), 3 * MORE);
	assert_int_equal(number(cJSON_GetObjectItem(index, "ledger"), "sampled"), 3 * (KEEP + MORE + 1));
	assert_sums(index);
	cJSON_Delete(index);
	assert_non_null(strstr(printed.text, "40 processes ended after the first 3"));
}

/* Each image has more samples than one: the second passes the limit, and all that end after it are merged. */
static void test_publish_population_of_too_many_samples_merges_by_executable(void **state)
{
	cJSON *index;

	(void)state;
	publication.samples_max = 4;
	for (u32 i = 1; i <= 6; i++)
		recorder_end(recorder, begin_sampled(i, 500 + i, "many", NULL), 500);
	begin_sampled(100, 700, "living", NULL);
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_true(scratch_has("502.many.pb.gz"));
	assert_false(scratch_has("503.many.pb.gz"));
	assert_true(scratch_has("700.living.pb.gz"));
	index = read_index_file();
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(index, "processes")), 2 + 1 + 1);
	assert_int_equal(number(cJSON_GetObjectItem(index, "ledger"), "sampled"), 3 * 7);
	assert_sums(index);
	cJSON_Delete(index);
	assert_non_null(strstr(printed.text, "4 processes ended after 3 others had left 4 samples"));
}

/* As often as profiles are written, what is lost is in each of them once, and none of it in the ledger at the end. */
static void test_publish_population_now_has_a_ledger_that_balances(void **state)
{
	struct image *living;
	struct profile *profile;

	(void)state;
	living = begin_sampled(2, 502, "living", NULL);
	options.formats = FORMAT_PPROF | FORMAT_JSON;
	capture_begin(&printed, stderr);
	for (int i = 0; i < 2; i++) {
		publish_now(&publication, 1000, true);
		finish_batches();
	}
	capture_end(&printed);
	assert_int_equal(pprof_read("snapshots/0002/502.living.pb.gz", &profile), 0);
	assert_int_equal(profile->ledger[COUNTER_LOST_RING], 1);
	assert_int_equal(profile->ledger[COUNTER_REFUSED], 1);
	profile_free(profile);
	for (int i = 1; i <= 2; i++) {
		char name[64], *text;
		cJSON *json, *ledger;

		snprintf(name, sizeof(name), "snapshots/%04d/502.living.json", i);
		text = golden_read(name);
		json = cJSON_Parse(text);
		ledger = cJSON_GetObjectItem(json, "ledger");
		assert_true(number(ledger, "sampled") == 6);
		assert_true(number(ledger, "freed") == 1);
		assert_true(number(ledger, "live") == 2);
		assert_true(number(ledger, "refused") == 1);
		assert_true(number(ledger, "lost_ring") == 1);
		assert_true(number(ledger, "entry_only") == 0);
		assert_true(number(ledger, "in_flight") == 1);
		cJSON_Delete(json);
		free(text);
	}
	assert_int_equal(living->ledger[COUNTER_SAMPLED], 3);
	assert_int_equal(living->ledger[COUNTER_LOST_RING], 0);
	assert_int_equal(living->ledger[COUNTER_IN_FLIGHT], 0);
}

static void test_publish_population_now_writes_living_and_merged_under_a_number(void **state)
{
	struct profile *profile;
	const cJSON *files;
	cJSON *index;

	(void)state;
	recorder_end(recorder, begin_sampled(1, 501, "gone", "c0ffee"), 500);
	begin_sampled(2, 502, "living", "c0ffee");
	capture_begin(&printed, stderr);
	publish_now(&publication, 1000, true);
	finish_batches();
	capture_end(&printed);
	assert_non_null(strstr(printed.text, "profiles 0001 written"));
	assert_true(scratch_has("501.gone.pb.gz"));
	assert_true(scratch_has("snapshots/0001/502.living.pb.gz"));
	assert_true(scratch_has("snapshots/0001/merged/container.c0ffee.pb.gz"));
	assert_int_equal(pprof_read("snapshots/0001/merged/all.pb.gz", &profile), 0);
	assert_int_equal(profile->label_count, 2);
	assert_int_equal(profile->sample_count, 6);
	profile_free(profile);
	assert_int_equal(publish_everything(), STATUS_DONE);
	index = read_index_file();
	files = cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(index, "processes"), 1), "files");
	assert_string_equal(cJSON_GetArrayItem(files, 0)->valuestring, "502.living.pb.gz");
	assert_string_equal(cJSON_GetArrayItem(files, 1)->valuestring, "snapshots/0001/502.living.pb.gz");
	files = cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(index, "merged"), 1), "files");
	assert_string_equal(cJSON_GetArrayItem(files, 0)->valuestring, "merged/all.pb.gz");
	assert_string_equal(cJSON_GetArrayItem(files, 1)->valuestring, "snapshots/0001/merged/all.pb.gz");
	cJSON_Delete(index);
}

static void test_publish_population_losses_are_shown_by_process(void **state)
{
	(void)state;
	begin_sampled(1, 501, "whole", NULL);
	begin_sampled(2, 502, "lossy", NULL)->ledger[COUNTER_LOST_RING] = 5;
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_non_null(strstr(printed.text, "Losses by process\n"));
	assert_non_null(strstr(printed.text, "502  lossy            lost_ring 5\n"));
	assert_null(strstr(strstr(printed.text, "Losses by process"), "whole"));
}

static void test_publish_population_of_nobody_has_an_index(void **state)
{
	cJSON *index;

	(void)state;
	options.tracing.target.comm = "nosuch";
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_non_null(strstr(printed.text, "no process was traced: there was none named nosuch\n"));
	assert_null(strstr(printed.text, ", every allocation"));
	assert_null(strstr(printed.text, "in use"));
	index = read_index_file();
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(index, "processes")), 0);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(index, "merged")), 1);
	cJSON_Delete(index);
	assert_false(scratch_has("merged/all.pb.gz"));
}

static void test_publish_population_that_cannot_be_written_is_said_and_failed(void **state)
{
	(void)state;
	recorder_end(recorder, begin_sampled(1, 501, "first", NULL), 500);
	close(output.fd);
	output.fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	capture_begin(&printed, stderr);
	publish_ended(&publication);
	finish_batches();
	capture_end(&printed);
	assert_non_null(strstr(printed.text, "cannot write the profiles"));
	assert_int_equal(publish_everything(), STATUS_FAILED);
	assert_non_null(strstr(printed.text, " in 0 processes; 1 ended with "));
}

/* The images of two processes that exec: written as they end, printed at the end, listed as they began. */
static void test_publish_listed_forgets_what_has_ended_and_merges_nothing(void **state)
{
	static const int pids[] = {501, 502, 502}, images[] = {1, 1, 2};
	const char *second, *third;
	const cJSON *rows;
	cJSON *index;

	(void)state;
	options.tracing.target.population = POPULATION_LISTED;
	options.keep = 0;
	begin_sampled(1, 501, "first", NULL);
	recorder_end(recorder, begin_sampled(2, 502, "second", NULL), 500);
	begin_sampled(3, 502, "third", NULL);
	capture_begin(&printed, stderr);
	take_ended();
	assert_string_equal(capture_end(&printed), "");
	assert_null(recorder_find(recorder, 2));
	assert_true(scratch_has("502.second.pb.gz"));
	assert_int_equal(publish_everything(), STATUS_DONE);
	second = strstr(printed.text, "502 second");
	third = strstr(printed.text, "502 third");
	assert_true(second && third && second < third);
	assert_null(strstr(second + 1, "502 second"));
	index = read_index_file();
	assert_null(cJSON_GetObjectItem(index, "merged"));
	rows = cJSON_GetObjectItem(index, "processes");
	assert_int_equal(cJSON_GetArraySize(rows), 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(number(cJSON_GetArrayItem(rows, i), "pid"), pids[i]);
		assert_int_equal(number(cJSON_GetArrayItem(rows, i), "image"), images[i]);
	}
	assert_int_equal(number(cJSON_GetObjectItem(index, "ledger"), "sampled"), 9);
	cJSON_Delete(index);
	assert_false(scratch_has("merged/all.pb.gz"));
}

static void test_publish_listed_prints_each_and_lists_what_was_written_before(void **state)
{
	const cJSON *files, *rows;
	const char *first;
	cJSON *index;

	(void)state;
	options.tracing.target.population = POPULATION_LISTED;
	options.keep = 1;
	recorder_end(recorder, begin_sampled(1, 501, "first", "c0ffee"), 500);
	recorder_end(recorder, begin_sampled(2, 502, "second", "c0ffee"), 500);
	begin_sampled(3, 503, "living", NULL);
	capture_begin(&printed, stderr);
	publish_now(&publication, 1000, true);
	finish_batches();
	capture_end(&printed);
	assert_true(scratch_has("snapshots/0001/503.living.pb.gz"));
	assert_false(scratch_has("snapshots/0001/501.first.pb.gz") || scratch_has("snapshots/0001/merged/all.pb.gz"));
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_true(scratch_has("502.second.pb.gz"));
	assert_false(scratch_has("merged/container.c0ffee.pb.gz"));
	first = strstr(printed.text, "501 first");
	assert_non_null(first);
	assert_non_null(strstr(first, "502 second"));
	assert_non_null(strstr(printed.text, "4 profile files and index.json written"));
	index = read_index_file();
	rows = cJSON_GetObjectItem(index, "processes");
	assert_int_equal(cJSON_GetArraySize(rows), 3);
	files = cJSON_GetObjectItem(cJSON_GetArrayItem(rows, 2), "files");
	assert_string_equal(cJSON_GetArrayItem(files, 0)->valuestring, "503.living.pb.gz");
	assert_string_equal(cJSON_GetArrayItem(files, 1)->valuestring, "snapshots/0001/503.living.pb.gz");
	cJSON_Delete(index);
}

/* Another place would not help. */
static void test_publish_without_descriptors_names_the_limit(void **state)
{
	struct rlimit before, none;
	int status;

	(void)state;
	begin_sampled(1, 501, "first", NULL);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
	capture_begin(&printed, stderr);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	status = publish_finish(&publication);
	setrlimit(RLIMIT_NOFILE, &before);
	capture_end(&printed);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(printed.text, "RLIMIT_NOFILE"));
	assert_null(strstr(printed.text, "with -o"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_publish_population_tells_now_from_at_exit),
		TEST(test_publish_population_writes_processes_container_and_all),
		TEST(test_publish_population_beyond_keep_merges_by_executable),
		TEST(test_publish_population_of_too_many_samples_merges_by_executable),
		TEST(test_publish_population_now_has_a_ledger_that_balances),
		TEST(test_publish_population_now_writes_living_and_merged_under_a_number),
		TEST(test_publish_population_losses_are_shown_by_process),
		TEST(test_publish_population_of_nobody_has_an_index),
		TEST(test_publish_population_that_cannot_be_written_is_said_and_failed),
		TEST(test_publish_without_descriptors_names_the_limit),
		TEST(test_publish_listed_forgets_what_has_ended_and_merges_nothing),
		TEST(test_publish_listed_prints_each_and_lists_what_was_written_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
