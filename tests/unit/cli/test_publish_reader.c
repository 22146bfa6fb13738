/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The readers of a population's files: the labels and the JSON that say which process a sample is of, the table of `heaptap
 * report`, and the real `go tool pprof`, whose absence is a failure.
 */
#include "unit/record/publication_scene.h"

#include "unit/format/go_pprof.h"
#include "format/pprof_read.h"
#include "base/status.h"
#include "cli/report.h"
#include "format/output_file.h"

/* Merged ones keep their names, and their pids go. */
static void test_publish_population_labels_say_whose_a_sample_is(void **state)
{
	struct profile *profile;
	bool merged = false, alone = false;

	(void)state;
	options.keep = 1;
	recorder_end(recorder, begin_sampled(1, 501, "first", "c0ffee"), 500);
	recorder_end(recorder, begin_sampled(2, 502, "second", "c0ffee"), 500);
	take_ended();
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_int_equal(pprof_read("merged/all.pb.gz", &profile), 0);
	for (u32 i = 0; i < profile->label_count; i++) {
		const struct profile_labels *labels = &profile->labels[i];

		alone = alone || (labels->pid == 501 && !strcmp(labels->comm, "first"));
		merged = merged || (!labels->pid && !strcmp(labels->comm, "second"));
		assert_string_equal(labels->container, "shop");
		assert_string_equal(labels->container_id, "c0ffee");
	}
	assert_int_equal(profile->label_count, 2);
	assert_true(alone && merged);
	profile_free(profile);
	assert_true(scratch_has("merged/container.c0ffee.pb.gz"));
}

static void test_publish_population_json_says_whose_a_sample_is(void **state)
{
	const cJSON *labels, *samples;
	char *text;
	cJSON *all;

	(void)state;
	options.formats = FORMAT_JSON | FORMAT_TEXT | FORMAT_FOLDED;
	begin_sampled(1, 501, "first", "c0ffee");
	begin_sampled(2, 502, "second", NULL);
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_true(scratch_has("merged/all.txt") && scratch_has("merged/all.folded") &&
		    scratch_has("merged/container.c0ffee.txt"));
	text = golden_read("merged/all.json");
	all = cJSON_Parse(text);
	free(text);
	assert_int_equal(number(all, "processes"), 2);
	labels = cJSON_GetObjectItem(all, "origins");
	assert_int_equal(cJSON_GetArraySize(labels), 2);
	assert_int_equal(number(cJSON_GetArrayItem(labels, 1), "pid"), 502);
	assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(labels, 0), "container_id")->valuestring, "c0ffee");
	samples = cJSON_GetObjectItem(all, "samples");
	assert_int_equal(number(cJSON_GetArrayItem(samples, 0), "origin"), 0);
	assert_int_equal(number(cJSON_GetArrayItem(samples, 5), "origin"), 1);
	cJSON_Delete(all);
}

static void test_report_of_population_shows_the_table_and_what_is_merged(void **state)
{
	struct report_options report = {.path = scratch_path, .measure = INUSE_SPACE, .top = 1};
	struct capture shown;
	int status;

	(void)state;
	begin_sampled(1, 501, "first", "c0ffee");
	begin_sampled(2, 502, "second", NULL)->ledger[COUNTER_LOST_RING] = 5;
	assert_int_equal(publish_everything(), STATUS_DONE);
	capture_begin(&shown, stdout);
	status = report_run(&report);
	capture_end(&shown);
	assert_int_equal(status, STATUS_DONE);
	assert_non_null(strstr(shown.text, "Processes: 2\n"));
	assert_non_null(strstr(shown.text, "  and 1 more with samples\n"));
	assert_non_null(strstr(shown.text, "all, 2 processes merged"));
	assert_non_null(strstr(shown.text, "Losses by process\n"));
	assert_null(strstr(shown.text, "501 first,"));
}

static void test_publish_population_go_reads_the_labels(void **state)
{
	char *said;

	(void)state;
	begin_sampled(1, 501, "first", "c0ffee");
	begin_sampled(2, 502, "second", NULL);
	assert_int_equal(publish_everything(), STATUS_DONE);
	said = go_pprof("-sample_index=alloc_space -tags merged/all.pb.gz");
	for (int i = 0; i < 4; i++) {
		static const char *const keys[] = {" comm: ", " container: ", " container_id: ", " pid: "};

		if (!strstr(said, keys[i]))
			fail_msg("no%sin:\n%s", keys[i], said);
	}
	assert_non_null(strstr(said, ": shop\n"));
	assert_non_null(strstr(said, ": second\n"));
	free(said);
	said = go_pprof("-sample_index=alloc_space -top -unit=B -tagfocus=comm=second merged/all.pb.gz");
	assert_non_null(strstr(said, "Active filters:\n   tagfocus=comm=second\n"));
	free(said);
	said = go_pprof("-sample_index=alloc_space -top -unit=B -tagfocus=pid=501 merged/all.pb.gz");
	assert_non_null(strstr(said, "49.84% of 6294B total\n"));
	free(said);
	said = go_pprof("-sample_index=alloc_space -raw merged/all.pb.gz");
	assert_non_null(strstr(said, "pid:[501]"));
	assert_non_null(strstr(said, "comm:[first]"));
	free(said);
}

/* The pattern of the README: each process once, whatever was merged and whatever was written meanwhile. */
static void test_publish_population_files_of_processes_add_up_to_the_index(void **state)
{
	double bytes = 0;
	const cJSON *row;
	char wanted[64], *said;
	cJSON *index;

	(void)state;
	options.keep = 1;
	recorder_end(recorder, begin_sampled(1, 501, "first", "c0ffee"), 500);
	recorder_end(recorder, begin_sampled(2, 502, "merged", "c0ffee"), 500);
	begin_sampled(3, 503, "living", NULL);
	capture_begin(&printed, stderr);
	publish_now(&publication, 1000, true);
	finish_batches();
	capture_end(&printed);
	assert_int_equal(publish_everything(), STATUS_DONE);
	index = read_index_file();
	cJSON_ArrayForEach (row, cJSON_GetObjectItem(index, "processes"))
		bytes += number(row, "alloc_space");
	cJSON_Delete(index);
	snprintf(wanted, sizeof(wanted), " of %.0fB total\n", bytes);
	said = go_pprof("-sample_index=alloc_space -top -unit=B *.pb.gz");
	if (!strstr(said, wanted))
		fail_msg("not%sin:\n%s", wanted, said);
	free(said);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_publish_population_labels_say_whose_a_sample_is),
		TEST(test_publish_population_json_says_whose_a_sample_is),
		TEST(test_report_of_population_shows_the_table_and_what_is_merged),
		TEST(test_publish_population_go_reads_the_labels),
		TEST(test_publish_population_files_of_processes_add_up_to_the_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
