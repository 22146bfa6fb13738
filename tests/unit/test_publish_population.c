/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish.c and what it leads to, on a population: images that end, are taken from the recorder, written or merged; the
 * index, the merged files, and what `go tool pprof` reads in them.
 */
#include "recorder_event.h"

#include <fcntl.h>
#include <poll.h>

#include <cjson/cJSON.h>

#include "capture.h"
#include "golden.h"
#include "scratch.h"
#include "shell.h"

#include "../../user/publish.h"
#include "../../user/read_pprof.h"
#include "../../user/report.h"

#define INTERVAL 1000

static struct options options;
static struct output output;
static struct publication publication;
static struct capture words;

/* Beside the three samples that were told of: one lost, one refused, neither told of; and one under way. */
static int peek_tally(const struct tracer *tracer, u32 process, u64 ledger[COUNTER_MAX])
{
	(void)tracer;
	(void)process;
	ledger[COUNTER_SAMPLED] += 3;
	ledger[COUNTER_LOST_RING]++;
	ledger[COUNTER_REFUSED]++;
	return 0;
}

static int open_all(void **state)
{
	static char *argv[] = {NULL};
	struct recorder_options recording = {.sample_bytes = INTERVAL};

	if (scratch_setup(state))
		return -1;
	recorder = recorder_new(&recording);
	options = (struct options){.population = POPULATION_FOLLOW,
				   .keep = KEEP_DEFAULT,
				   .formats = FORMAT_PPROF,
				   .sample_bytes = INTERVAL,
				   .argv = argv};
	snprintf(output.path, sizeof(output.path), "%s", scratch_path);
	output.fd = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	publication = (struct publication){.options = &options,
					   .recorder = recorder,
					   .output = &output,
					   .attach = "session",
					   .peek_tally = peek_tally,
					   .start_unix_ns = 1000000};
	return recorder && output.fd >= 0 ? 0 : -1;
}

static int close_all(void **state)
{
	publish_release(&publication);
	close(output.fd);
	recorder_free(recorder);
	return scratch_teardown(state);
}

/* An image with a stack of its own and some samples of odd sizes. */
static struct process *begin_sampled(u32 number, u32 pid, const char *comm, const char *container)
{
	struct process *process = begin(number, pid);
	struct mapping mapping = {.start = 0x3ff000,
				  .end = 0x500000,
				  .path = (char *)"/usr/bin/program",
				  .build_id = {1},
				  .build_id_size = 1};

	process_set_comm(process, comm);
	process->exe = strdup("/usr/bin/program");
	process->container_id = container ? strdup(container) : NULL;
	process->container_name = container ? strdup("shop") : NULL;
	assert_int_equal(recorder_map(recorder, pid, &mapping), 0);
	assert_int_equal(send_stack(number, number, 2, stack_size(2)), 0);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(send_alloc(number, 100 * number + i, 77 + number % 7 * 13 + i, number, 0), 0);
	process->ledger[COUNTER_SAMPLED] = 3;
	assert_int_equal(send_object(EVENT_FREE, number, 100 * number), 0);
	return process;
}

static void finish_batches(void)
{
	while (publish_busy(&publication))
		poll(NULL, 0, 1);
}

static void take_ended(void)
{
	publish_ended(&publication);
	finish_batches();
}

static int publish_everything(void)
{
	int status;

	publication.duration_ns = 1000000;
	capture_begin(&words, stderr);
	status = publish_all(&publication);
	capture_end(&words);
	return status;
}

static bool exists(const char *name)
{
	return !access(name, F_OK);
}

static cJSON *read_index_file(void)
{
	char *text = golden_read("index.json");
	cJSON *json = cJSON_Parse(text);

	assert_non_null(json);
	free(text);
	return json;
}

static double number(const cJSON *row, const char *name)
{
	const cJSON *item = cJSON_GetObjectItem(row, name);

	assert_true(cJSON_IsNumber(item));
	return item->valuedouble;
}

/* The totals of a row, and of the first of its files, are these. */
static void add_row(const cJSON *row, double total[MEASURE_MAX])
{
	static const char *const names[MEASURE_MAX] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};
	const cJSON *file = cJSON_GetArrayItem(cJSON_GetObjectItem(row, "files"), 0);
	u64 totals[MEASURE_MAX] = {0};
	struct profile *profile;

	if (file) {
		assert_int_equal(read_pprof(file->valuestring, &profile), 0);
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
	assert_true(exists("501.first.pb.gz"));
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_true(exists("502.second.pb.gz"));
	assert_true(exists("container.0123456789ab.pb.gz"));
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
	assert_non_null(strstr(words.text, "Processes: 4\n"));
	assert_non_null(strstr(words.text, "502  second"));
	assert_non_null(strstr(words.text, "all, 4 processes merged"));
	assert_non_null(strstr(words.text, "1 without a sample"));
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
	assert_true(exists("501.odd.pb.gz"));
	assert_true(exists("503.odd.pb.gz"));
	assert_false(exists("504.even.pb.gz"));
	assert_true(exists("700.living.pb.gz"));
	assert_true(exists("merged.program.pb.gz"));
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
	assert_non_null(strstr(words.text, "40 processes ended after the first 3"));
}

/* Of merged ones the names stay, and their pids go. */
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
	assert_int_equal(read_pprof("all.pb.gz", &profile), 0);
	for (u32 i = 0; i < profile->origin_count; i++) {
		const struct profile_origin *origin = &profile->origins[i];

		alone = alone || (origin->pid == 501 && !strcmp(origin->comm, "first"));
		merged = merged || (!origin->pid && !strcmp(origin->comm, "second"));
		assert_string_equal(origin->container, "shop");
		assert_string_equal(origin->container_id, "c0ffee");
	}
	assert_int_equal(profile->origin_count, 2);
	assert_true(alone && merged);
	profile_free(profile);
	assert_true(exists("container.c0ffee.pb.gz"));
}

/* As often as profiles are written, what is lost is in each of them once, and none of it in the ledger at the end. */
static void test_publish_population_now_has_a_ledger_that_balances(void **state)
{
	struct process *living;
	struct profile *profile;

	(void)state;
	living = begin_sampled(2, 502, "living", NULL);
	options.formats = FORMAT_PPROF | FORMAT_JSON;
	capture_begin(&words, stderr);
	for (int i = 0; i < 2; i++) {
		publish_now(&publication, 1000, true);
		finish_batches();
	}
	capture_end(&words);
	assert_int_equal(read_pprof("502.living.0002.pb.gz", &profile), 0);
	assert_int_equal(profile->ledger[COUNTER_LOST_RING], 1);
	assert_int_equal(profile->ledger[COUNTER_REFUSED], 1);
	profile_free(profile);
	for (int i = 1; i <= 2; i++) {
		char name[64], *text;
		cJSON *json, *ledger;

		snprintf(name, sizeof(name), "502.living.%04d.json", i);
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
	capture_begin(&words, stderr);
	publish_now(&publication, 1000, true);
	finish_batches();
	capture_end(&words);
	assert_non_null(strstr(words.text, "profiles 0001 written"));
	assert_true(exists("501.gone.pb.gz"));
	assert_true(exists("502.living.0001.pb.gz"));
	assert_true(exists("container.c0ffee.0001.pb.gz"));
	assert_int_equal(read_pprof("all.0001.pb.gz", &profile), 0);
	assert_int_equal(profile->origin_count, 2);
	assert_int_equal(profile->sample_count, 6);
	profile_free(profile);
	assert_int_equal(publish_everything(), STATUS_DONE);
	index = read_index_file();
	files = cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(index, "processes"), 1), "files");
	assert_string_equal(cJSON_GetArrayItem(files, 0)->valuestring, "502.living.pb.gz");
	assert_string_equal(cJSON_GetArrayItem(files, 1)->valuestring, "502.living.0001.pb.gz");
	files = cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(index, "merged"), 1), "files");
	assert_string_equal(cJSON_GetArrayItem(files, 0)->valuestring, "all.pb.gz");
	assert_string_equal(cJSON_GetArrayItem(files, 1)->valuestring, "all.0001.pb.gz");
	cJSON_Delete(index);
}

static void test_publish_population_losses_are_shown_by_process(void **state)
{
	(void)state;
	begin_sampled(1, 501, "whole", NULL);
	begin_sampled(2, 502, "lossy", NULL)->ledger[COUNTER_LOST_RING] = 5;
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_non_null(strstr(words.text, "Losses by process\n"));
	assert_non_null(strstr(words.text, "502  lossy            lost_ring 5\n"));
	assert_null(strstr(strstr(words.text, "Losses by process"), "whole"));
}

static void test_publish_population_json_says_whose_a_sample_is(void **state)
{
	const cJSON *origins, *samples;
	char *text;
	cJSON *all;

	(void)state;
	options.formats = FORMAT_JSON | FORMAT_TEXT | FORMAT_FOLDED;
	begin_sampled(1, 501, "first", "c0ffee");
	begin_sampled(2, 502, "second", NULL);
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_true(exists("all.txt") && exists("all.folded") && exists("container.c0ffee.txt"));
	text = golden_read("all.json");
	all = cJSON_Parse(text);
	free(text);
	assert_int_equal(number(all, "processes"), 2);
	origins = cJSON_GetObjectItem(all, "origins");
	assert_int_equal(cJSON_GetArraySize(origins), 2);
	assert_int_equal(number(cJSON_GetArrayItem(origins, 1), "pid"), 502);
	assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(origins, 0), "container_id")->valuestring, "c0ffee");
	samples = cJSON_GetObjectItem(all, "samples");
	assert_int_equal(number(cJSON_GetArrayItem(samples, 0), "origin"), 0);
	assert_int_equal(number(cJSON_GetArrayItem(samples, 5), "origin"), 1);
	cJSON_Delete(all);
}

static void test_publish_population_of_nobody_has_an_index(void **state)
{
	cJSON *index;

	(void)state;
	assert_int_equal(publish_everything(), STATUS_DONE);
	index = read_index_file();
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(index, "processes")), 0);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(index, "merged")), 1);
	cJSON_Delete(index);
	assert_false(exists("all.pb.gz"));
}

static void test_publish_population_that_cannot_be_written_is_said_and_failed(void **state)
{
	(void)state;
	recorder_end(recorder, begin_sampled(1, 501, "first", NULL), 500);
	close(output.fd);
	output.fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	capture_begin(&words, stderr);
	publish_ended(&publication);
	finish_batches();
	capture_end(&words);
	assert_non_null(strstr(words.text, "cannot write the profiles"));
	assert_int_equal(publish_everything(), STATUS_FAILED);
	assert_non_null(strstr(words.text, "Processes: 1\n"));
}

static void test_publish_listed_keeps_what_has_ended_and_merges_nothing(void **state)
{
	cJSON *index;

	(void)state;
	options.population = POPULATION_LISTED;
	recorder_end(recorder, begin_sampled(1, 501, "first", NULL), 500);
	take_ended();
	assert_non_null(recorder_find(recorder, 1));
	assert_int_equal(publish_everything(), STATUS_DONE);
	index = read_index_file();
	assert_null(cJSON_GetObjectItem(index, "merged"));
	cJSON_Delete(index);
	assert_false(exists("all.pb.gz"));
}

static void test_report_of_population_shows_the_table_and_what_is_merged(void **state)
{
	struct options report = {.path = scratch_path, .measure = INUSE_SPACE, .top = 1};
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

/* Its words for this command. */
static char *pprof(const char *arguments)
{
	char *command, *said = NULL;
	size_t room = 0;
	FILE *in;

	assert_true(asprintf(&command, "go tool pprof -sample_index=alloc_space %s 2>stderr", arguments) > 0);
	in = popen(command, "re");
	assert_non_null(in);
	if (getdelim(&said, &room, '\0', in) < 0)
		fail_msg("nothing from: %s", command);
	assert_int_equal(pclose(in), 0);
	free(command);
	return said;
}

static void test_publish_population_go_reads_the_labels(void **state)
{
	char *said;

	(void)state;
	begin_sampled(1, 501, "first", "c0ffee");
	begin_sampled(2, 502, "second", NULL);
	assert_int_equal(publish_everything(), STATUS_DONE);
	said = pprof("-tags all.pb.gz");
	for (int i = 0; i < 4; i++) {
		static const char *const keys[] = {" comm: ", " container: ", " container_id: ", " pid: "};

		if (!strstr(said, keys[i]))
			fail_msg("no%sin:\n%s", keys[i], said);
	}
	assert_non_null(strstr(said, ": shop\n"));
	assert_non_null(strstr(said, ": second\n"));
	free(said);
	said = pprof("-top -unit=B -tagfocus=comm=second all.pb.gz");
	assert_non_null(strstr(said, "Active filters:\n   tagfocus=comm=second\n"));
	free(said);
	said = pprof("-top -unit=B -tagfocus=pid=501 all.pb.gz");
	assert_non_null(strstr(said, "49.84% of 6294B total\n"));
	free(said);
	said = pprof("-raw all.pb.gz");
	assert_non_null(strstr(said, "pid:[501]"));
	assert_non_null(strstr(said, "comm:[first]"));
	free(said);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_publish_population_writes_processes_container_and_all),
		TEST(test_publish_population_beyond_keep_merges_by_executable),
		TEST(test_publish_population_labels_say_whose_a_sample_is),
		TEST(test_publish_population_now_has_a_ledger_that_balances),
		TEST(test_publish_population_now_writes_living_and_merged_under_a_number),
		TEST(test_publish_population_losses_are_shown_by_process),
		TEST(test_publish_population_json_says_whose_a_sample_is),
		TEST(test_publish_population_of_nobody_has_an_index),
		TEST(test_publish_population_that_cannot_be_written_is_said_and_failed),
		TEST(test_publish_listed_keeps_what_has_ended_and_merges_nothing),
		TEST(test_report_of_population_shows_the_table_and_what_is_merged),
		TEST(test_publish_population_go_reads_the_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
