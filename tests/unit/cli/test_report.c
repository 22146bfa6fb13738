/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c: exit status, message and output, on directories as record writes them and with other files in them. */
#include "unit/cli/report_scene.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/stat.h>

static void test_report_of_directory_prints_every_profile_in_name_order(void **state)
{
	const char *first, *second;

	(void)state;
	record_two(true);
	assert_int_equal(report(scratch_path), STATUS_DONE);
	assert_string_equal(errors.text, "");
	first = strstr(output.text, "7 first ");
	second = strstr(output.text, "800 second ");
	assert_true(first == output.text && second > first);
	assert_memory_equal(second - 2, "\n\n", 2);
}

/* What was written while recording is part of what was written at the end. */
static void test_report_of_directory_leaves_snapshots_out(void **state)
{
	struct profile profile = one(4242, "small");
	char *last;

	(void)state;
	record((const struct profile *const[]){&profile}, 1, false);
	assert_int_equal(report_as(scratch_path, REPORT_FOLDED, INUSE_SPACE), STATUS_DONE);
	last = strdup(output.text);
	run("cd %s && mkdir -p snapshots/0001 && cp 4242.small.pb.gz snapshots/0001/", scratch_path);
	assert_int_equal(report_as(scratch_path, REPORT_FOLDED, INUSE_SPACE), STATUS_DONE);
	assert_string_equal(output.text, last);
	free(last);
}

/* The index restores all that the summary of the recording showed. */
static void test_report_with_index_prints_what_record_printed(void **state)
{
	struct profile profile = one(4242, "small");

	(void)state;
	record((const struct profile *const[]){&profile}, 1, true);
	assert_int_equal(report(scratch_path), STATUS_DONE);
	assert_golden(output.text, "small.summary");
}

static void test_report_of_file_uses_the_index_beside_it(void **state)
{
	struct profile profile = one(4242, "small");
	char path[PATH_MAX + 32];

	(void)state;
	record((const struct profile *const[]){&profile}, 1, true);
	snprintf(path, sizeof(path), "%s/4242.small.pb.gz", scratch_path);
	assert_int_equal(report(path), STATUS_DONE);
	assert_golden(output.text, "small.summary");
}

static void test_report_without_index_prints_what_the_profile_knows(void **state)
{
	(void)state;
	record_two(false);
	assert_int_equal(report(scratch_path), STATUS_DONE);
	assert_string_equal(errors.text, "");
	assert_contains(output.text, "800 second, 5.0 s");
	assert_contains(output.text, "lost_ring");
	assert_null(strstr(output.text, "Cost to the process"));
	assert_null(strstr(output.text, "BALANCE"));
}

static void test_report_with_unusable_index_goes_on_without(void **state)
{
	static const char *const indices[] = {
		"",
		"{",
		"[1,2,3]",
		"{\"processes\":7}",
		"{\"processes\":[null,{\"files\":{}},{\"files\":[7]}]}",
		"{\"processes\":[{\"files\":[\"7.first.pb.gz\"],\"alloc_space\":1}]}",
	};

	(void)state;
	record_two(false);
	for (unsigned int i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
		run("printf '%%s' '%s' > %s/index.json", indices[i], scratch_path);
		assert_int_equal(report(scratch_path), STATUS_DONE);
		assert_contains(output.text, "7 first, 5.0 s");
	}
	run("rm %s/index.json; mkfifo %s/index.json", scratch_path, scratch_path);
	assert_int_equal(report(scratch_path), STATUS_DONE);
}

/* Right sums, and every other member of the wrong type or absurd. */
static void test_report_with_lying_index_stays_within_bounds(void **state)
{
	struct profile profile = one(7, "first");
	u64 totals[MEASURE_MAX];

	(void)state;
	record((const struct profile *const[]){&profile}, 1, false);
	profile_totals(&profile, totals);
	run("printf '%%s' '{\"processes\":[{\"files\":[\"7.first.pb.gz\"],\"alloc_space\":%lu,\"alloc_objects\":%lu,"
	    "\"pid\":-1,\"comm\":7,\"exe\":[],\"rss\":3,\"peak\":{\"inuse_space\":1e300},\"cpu_ns\":\"x\","
	    "\"slowdown_percent\":1e308,\"ledger\":{\"sampled\":-5,\"hits_alloc\":1e15}}]}' > %s/index.json",
	    totals[ALLOC_SPACE], totals[ALLOC_OBJECTS], scratch_path);
	assert_int_equal(report(scratch_path), STATUS_DONE);
	assert_contains(output.text, "first, 5.0 s");
}

static void test_report_as_text_and_folded_prints_these_formats(void **state)
{
	struct profile profile = one(7, "first");
	char path[PATH_MAX + 32];

	(void)state;
	record((const struct profile *const[]){&profile}, 1, true);
	snprintf(path, sizeof(path), "%s/7.first.pb.gz", scratch_path);
	assert_int_equal(report_as(path, REPORT_TEXT, INUSE_SPACE), STATUS_DONE);
	assert_contains(output.text, "heap profile: 15: ");
	assert_int_equal(report_as(path, REPORT_FOLDED, ALLOC_OBJECTS), STATUS_DONE);
	assert_contains(output.text, "main;ns::list<int>::grow(unsigned long) 163845\n");
}

static void test_report_of_alloc_only_profile_counts_what_was_allocated(void **state)
{
	struct profile profile = golden_alloc_only();

	(void)state;
	record((const struct profile *const[]){&profile}, 1, true);
	assert_int_equal(report_as(scratch_path, REPORT_FOLDED, INUSE_OBJECTS), STATUS_DONE);
	assert_contains(output.text, "main;ns::list<int>::grow(unsigned long) 163845\n");
	assert_int_equal(report(scratch_path), STATUS_DONE);
	assert_contains(output.text, "Sites by bytes allocated");
	assert_null(strstr(output.text, "Sites by bytes in use"));
}

static void test_report_lifetimes_need_nothing_but_the_profile(void **state)
{
	struct profile living = golden_living();
	const struct profile *const profiles[] = {&living};

	(void)state;
	record(profiles, 1, false);
	assert_int_equal(report_with((struct report_options){.path = scratch_path, .lifetimes = true}), STATUS_DONE);
	assert_contains(output.text, "growing");
	assert_contains(output.text, "Under a collector (GOGC=100): 40 cycles");
	assert_null(strstr(output.text, "Sites by bytes"));
}

static void test_report_lifetimes_of_profile_without_them_says_so(void **state)
{
	struct profile small = golden_small();
	const struct profile *const profiles[] = {&small};

	(void)state;
	record(profiles, 1, false);
	assert_int_equal(report_with((struct report_options){.path = scratch_path, .lifetimes = true}), STATUS_DONE);
	assert_contains(output.text, "Lifetimes are not known");
}

static void test_report_older_leaves_in_use_what_is_older(void **state)
{
	struct profile living = golden_living();
	const struct profile *const profiles[] = {&living};

	(void)state;
	record(profiles, 1, false);
	assert_int_equal(
		report_with((struct report_options){.path = scratch_path, .older_s = 1, .format = REPORT_FOLDED}),
		STATUS_DONE);
	/* 150 of make_node's 200 samples, none of the vdso's 6. */
	assert_contains(output.text, "make_node 78720025\n");
	assert_null(strstr(output.text, "vdso"));
	assert_contains(errors.text, "more than 1 s");
}

static void test_report_older_without_ages_is_refused(void **state)
{
	struct profile small = golden_small();
	const struct profile *const profiles[] = {&small};

	(void)state;
	record(profiles, 1, false);
	assert_int_equal(report_with((struct report_options){.path = scratch_path, .older_s = 1}), STATUS_FAILED);
	assert_contains(errors.text, "does not say how old");
}

static void test_report_of_missing_path_is_no_target(void **state)
{
	(void)state;
	assert_int_equal(report("/nonexistent/dir"), STATUS_NO_TARGET);
	assert_contains(errors.text, "no such file or directory: '/nonexistent/dir'");
	assert_string_equal(output.text, "");
}

static void test_report_of_directory_without_profiles_says_so(void **state)
{
	(void)state;
	run("rm -rf %s/*; touch %s/x.txt %s/.hidden.pb.gz", scratch_path, scratch_path, scratch_path);
	assert_int_equal(report(scratch_path), STATUS_NO_TARGET);
	assert_contains(errors.text, "no profile in");
	run("echo '{\"processes\":[]}' > %s/index.json", scratch_path);
	assert_int_equal(report(scratch_path), STATUS_DONE);
	assert_contains(errors.text, "nothing was sampled");
}

static void test_report_of_bad_file_names_it_and_prints_the_others(void **state)
{
	(void)state;
	record_two(true);
	run("echo nonsense > %s/5.bad.pb.gz", scratch_path);
	assert_int_equal(report(scratch_path), STATUS_FAILED);
	assert_contains(errors.text, "/5.bad.pb.gz' is no profile");
	assert_contains(output.text, "7 first ");
	assert_contains(output.text, "800 second ");
}

/* Neither waits for a writer, nor reads what has no end. */
static void test_report_of_no_regular_file_says_so(void **state)
{
	(void)state;
	record_two(true);
	run("mkfifo %s/6.fifo.pb.gz", scratch_path);
	assert_int_equal(report(scratch_path), STATUS_FAILED);
	assert_contains(errors.text, "/6.fifo.pb.gz' is no regular file");
	assert_contains(output.text, "800 second ");
	assert_int_equal(report("/dev/zero"), STATUS_FAILED);
	assert_contains(errors.text, "'/dev/zero' is no regular file");
}

/* `to` opened for writing in the place of stdout. */
static int report_to(int to)
{
	struct report_options options = {.path = scratch_path, .top = 20, .measure = INUSE_SPACE};
	int saved, status;

	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_true(saved >= 0 && dup2(to, STDOUT_FILENO) >= 0);
	close(to);
	capture_begin(&errors, stderr);
	status = report_run(&options);
	capture_end(&errors);
	__fpurge(stdout);
	clearerr(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	return status;
}

static void test_report_that_cannot_be_written_fails_and_says_why(void **state)
{
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as main does */
	record_two(true);
	assert_int_equal(report_to(open("/dev/full", O_WRONLY | O_CLOEXEC)), STATUS_FAILED);
	assert_contains(errors.text, "cannot write to standard output: No space left on device");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	assert_int_equal(report_to(ends[1]), STATUS_FAILED);
	assert_contains(errors.text, "cannot write to standard output: Broken pipe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_of_directory_prints_every_profile_in_name_order),
		cmocka_unit_test(test_report_of_directory_leaves_snapshots_out),
		cmocka_unit_test(test_report_with_index_prints_what_record_printed),
		cmocka_unit_test(test_report_of_file_uses_the_index_beside_it),
		cmocka_unit_test(test_report_without_index_prints_what_the_profile_knows),
		cmocka_unit_test(test_report_with_unusable_index_goes_on_without),
		cmocka_unit_test(test_report_with_lying_index_stays_within_bounds),
		cmocka_unit_test(test_report_as_text_and_folded_prints_these_formats),
		cmocka_unit_test(test_report_of_alloc_only_profile_counts_what_was_allocated),
		cmocka_unit_test(test_report_lifetimes_need_nothing_but_the_profile),
		cmocka_unit_test(test_report_lifetimes_of_profile_without_them_says_so),
		cmocka_unit_test(test_report_older_leaves_in_use_what_is_older),
		cmocka_unit_test(test_report_older_without_ages_is_refused),
		cmocka_unit_test(test_report_of_missing_path_is_no_target),
		cmocka_unit_test(test_report_of_directory_without_profiles_says_so),
		cmocka_unit_test(test_report_of_bad_file_names_it_and_prints_the_others),
		cmocka_unit_test(test_report_of_no_regular_file_says_so),
		cmocka_unit_test(test_report_that_cannot_be_written_fails_and_says_why),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
