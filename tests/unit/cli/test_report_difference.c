/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heaptap report --base: of two files, of two directories, and of those that do not fit together. */
#include "unit/cli/report_scene.h"

#include <fcntl.h>
#include <sys/stat.h>

static void test_report_base_tells_the_difference(void **state)
{
	struct profile small = golden_small(), living = golden_living();
	const struct profile *const profiles[] = {&small, &living};
	char before[PATH_MAX + 32], after[PATH_MAX + 32];

	(void)state;
	living.pid = 4243;
	record(profiles, 2, false);
	snprintf(before, sizeof(before), "%s/4242.small.pb.gz", scratch_path);
	snprintf(after, sizeof(after), "%s/4243.small.pb.gz", scratch_path);
	assert_int_equal(report_with((struct report_options){.path = after, .base = before}), STATUS_DONE);
	assert_contains(output.text, "from 4242 small");
	assert_contains(output.text, "to   4243 small");
	assert_contains(output.text, "+98.6 MiB");
	snprintf(before, sizeof(before), "%s/none.pb.gz", scratch_path);
	assert_int_equal(report_with((struct report_options){.path = after, .base = before}), STATUS_NO_TARGET);
	assert_contains(errors.text, "none.pb.gz");
	assert_int_equal(report_with((struct report_options){.path = before, .base = after}), STATUS_NO_TARGET);
}

/* A pair of files in the scratch directory: the second is of another program, or older, or as it should be. */
static void compare_two(struct profile *after)
{
	struct profile before = golden_small();
	char old[PATH_MAX + 32], new[PATH_MAX + 32];

	after->pid = 4243;
	record((const struct profile *const[]){&before, after}, 2, true);
	snprintf(old, sizeof(old), "%s/4242.small.pb.gz", scratch_path);
	snprintf(new, sizeof(new), "%s/4243.small.pb.gz", scratch_path);
	assert_int_equal(report_with((struct report_options){.path = new, .base = old, .top = 20}), STATUS_DONE);
}

static void test_report_base_warns_of_another_program(void **state)
{
	struct profile after = golden_small();

	(void)state;
	compare_two(&after);
	assert_string_equal(errors.text, "");
	after.exe = (char *)"/opt/new version/small app (deleted)";
	compare_two(&after);
	assert_string_equal(errors.text, "");
	after.exe = (char *)"/usr/bin/other";
	compare_two(&after);
	assert_contains(errors.text, "of different programs, 'small app' and 'other'");
}

static void test_report_base_warns_of_the_wrong_order(void **state)
{
	struct profile after = golden_small();

	(void)state;
	after.duration_ns -= 1;
	compare_two(&after);
	assert_contains(errors.text, "/4242.small.pb.gz' is newer than '");
	assert_contains(errors.text, "swap them");
}

static void test_report_base_of_directories_pairs_their_files(void **state)
{
	char old[PATH_MAX + 32], file[PATH_MAX + 32];

	(void)state;
	record_two(true);
	run("cd %s && mkdir -p old/merged merged && cp 7.first.pb.gz old/ && cp 800.second.pb.gz old/5.second.pb.gz && "
	    "cp 800.second.pb.gz old/9.gone.pb.gz && touch old/merged/all.pb.gz merged/all.pb.gz",
	    scratch_path);
	snprintf(old, sizeof(old), "%s/old", scratch_path);
	assert_int_equal(report_with((struct report_options){.path = scratch_path, .base = old, .top = 20}),
			 STATUS_DONE);
	assert_contains(output.text, "from 7 first");
	assert_contains(output.text, "to   7 first");
	assert_contains(output.text, "from 5 second");
	assert_contains(output.text, "to   800 second");
	assert_null(strstr(output.text, "gone"));
	assert_contains(errors.text, "/old': 9.gone.pb.gz");
	assert_contains(errors.text, "for all processes together: heaptap report --base '");
	snprintf(file, sizeof(file), "%s/800.second.pb.gz", scratch_path);
	assert_int_equal(report_with((struct report_options){.path = file, .base = old, .top = 20}), STATUS_DONE);
	assert_contains(output.text, "from 5 second");
	assert_null(strstr(output.text, "first"));
	assert_string_equal(errors.text, "");
}

/* One that is too large is named where it is read. */
static void test_report_base_reads_each_index_once(void **state)
{
	char old[PATH_MAX + 32], new[PATH_MAX + 32];
	u32 named = 0;

	(void)state;
	record_two(false);
	run("cd %s && mkdir old new && cp *.pb.gz old && mv *.pb.gz new && truncate -s 65M old/index.json new/index.json",
	    scratch_path);
	snprintf(old, sizeof(old), "%s/old", scratch_path);
	snprintf(new, sizeof(new), "%s/new", scratch_path);
	assert_int_equal(report_with((struct report_options){.path = new, .base = old, .top = 20}), STATUS_DONE);
	assert_contains(output.text, "to   7 first");
	assert_contains(output.text, "to   800 second");
	for (const char *at = errors.text; (at = strstr(at, "is not used")); at++)
		named++;
	assert_int_equal(named, 2);
}

static void test_report_base_of_directories_without_a_pair_says_so(void **state)
{
	char old[PATH_MAX + 32];

	(void)state;
	record_two(true);
	run("cd %s && mkdir old empty && cp 7.first.pb.gz old/1.other.pb.gz", scratch_path);
	snprintf(old, sizeof(old), "%s/old", scratch_path);
	assert_int_equal(report_with((struct report_options){.path = scratch_path, .base = old}), STATUS_NO_TARGET);
	assert_contains(errors.text, "have no process and no program in common");
	snprintf(old, sizeof(old), "%s/empty", scratch_path);
	assert_int_equal(report_with((struct report_options){.path = scratch_path, .base = old}), STATUS_NO_TARGET);
	assert_contains(errors.text, "no profile in '");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_base_tells_the_difference),
		cmocka_unit_test(test_report_base_warns_of_another_program),
		cmocka_unit_test(test_report_base_warns_of_the_wrong_order),
		cmocka_unit_test(test_report_base_of_directories_pairs_their_files),
		cmocka_unit_test(test_report_base_reads_each_index_once),
		cmocka_unit_test(test_report_base_of_directories_without_a_pair_says_so),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
