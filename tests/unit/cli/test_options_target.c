/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c: every option that selects processes. */
#include "cli_scene.h"

static void test_cli_command_takes_the_rest(void **state)
{
	struct options *options = accept(*state, "record -o d -- ls -l -- -p 1");

	assert_int_equal(options->record.tracing.target.pid_count, 0);
	assert_string_equal(options->record.tracing.target.command[0], "ls");
	assert_string_equal(options->record.tracing.target.command[1], "-l");
	assert_string_equal(options->record.tracing.target.command[2], "--");
	assert_string_equal(options->record.tracing.target.command[3], "-p");
	assert_string_equal(options->record.tracing.target.command[4], "1");
	assert_null(options->record.tracing.target.command[5]);
	assert_string_equal(accept(*state, "record -- -x")->record.tracing.target.command[0], "-x");
	assert_string_equal(accept(*state, "record -- -- x")->record.tracing.target.command[0], "--");
}

static void test_cli_record_without_one_target_is_refused(void **state)
{
	refuse(*state, "record", "no target: name one with '-p PID'");
	refuse(*state, "record -o d", "no target");
	refuse(*state, "record --follow", "no target");
	refuse(*state, "record --", "no COMMAND");
	refuse_command(*state, "record -p 1 -- ls", "'ls'");
	refuse(*state, "record -p 1 ls", "'ls'");
	refuse(*state, "record -p 1 --", "no COMMAND");
}

static void test_cli_pids_are_merged_without_duplicates(void **state)
{
	struct options *options = accept(*state, "record -p 3,1,3 -p 2,1 -p 2147483647");

	assert_int_equal(options->record.tracing.target.pid_count, 4);
	assert_int_equal(options->record.tracing.target.pids[0], 3);
	assert_int_equal(options->record.tracing.target.pids[1], 1);
	assert_int_equal(options->record.tracing.target.pids[2], 2);
	assert_int_equal(options->record.tracing.target.pids[3], 2147483647);
}

static void test_cli_pid_that_is_none_is_refused(void **state)
{
	char own[64], culprit[32];

	refuse(*state, "record -p 0", "'0'");
	refuse(*state, "record -p -1", "'-1'");
	refuse(*state, "record -p 2147483648", "'2147483648'");
	refuse(*state, "record -p 99999999999999999999999", "'99999999999999999999999'");
	refuse(*state, "record -p ''", "''");
	refuse(*state, "record -p 1,", "''");
	refuse(*state, "record -p 1,,2", "''");
	snprintf(own, sizeof(own), "record -p 1,%d", getpid());
	snprintf(culprit, sizeof(culprit), "'%d' in '-p' is heaptap itself", getpid());
	refuse(*state, own, culprit);
}

/* Names are looked for once the whole line is known to be right. */
static void test_cli_process_names_are_kept_beside_numbers(void **state)
{
	struct options *options = accept(*state, "record -p redis-server,7 -p 12x");

	assert_int_equal(options->record.tracing.target.pid_count, 1);
	assert_string_equal(options->process_names[0], "redis-server");
	assert_string_equal(options->process_names[1], "12x");
	assert_null(options->process_names[2]);
	assert_null(accept(*state, "doctor -p 7")->process_names);
	assert_int_equal(accept(*state, "doctor --follow -p x")->record.tracing.target.population, POPULATION_FOLLOW);
	refuse_command(*state, "record -p x -- ls", "'ls'");
}

static void test_cli_pids_above_the_limit_are_refused(void **state)
{
	char line[PIDS_MAX * 8 + 64] = "record -p ";
	size_t length = strlen(line);
	unsigned int i;

	/* Far above any pid of a test machine, so that none is our own. */
	for (i = 0; i < PIDS_MAX; i++)
		length += (size_t)snprintf(line + length, sizeof(line) - length, "%s%u", i ? "," : "", 5000000 + i);
	assert_int_equal(accept(*state, line)->record.tracing.target.pid_count, PIDS_MAX);
	snprintf(line + length, sizeof(line) - length, ",1");
	refuse(*state, line, "at most 1024");
}

static void test_cli_doctor_target_is_optional(void **state)
{
	struct options *options = accept(*state, "doctor");

	assert_int_equal(options->verb, SUBCOMMAND_DOCTOR);
	assert_int_equal(options->record.tracing.target.pid_count, 0);
	assert_null(options->record.tracing.target.command);
	assert_int_equal(accept(*state, "doctor -p 1,2")->record.tracing.target.pid_count, 2);
	assert_string_equal(accept(*state, "doctor -- ls -l")->record.tracing.target.command[0], "ls");
	refuse(*state, "doctor -p 1 -- ls", "'ls'");
}

static void test_cli_doctor_takes_the_targets_of_record(void **state)
{
	assert_int_equal(accept(*state, "doctor --follow -p 1")->record.tracing.target.population, POPULATION_FOLLOW);
	assert_true(accept(*state, "doctor --follow --shared-mounts -- ls")->record.tracing.target.shared_mounts);
	assert_int_equal(accept(*state, "doctor -a --comm sh")->record.tracing.target.population, POPULATION_ALL);
	assert_string_equal(accept(*state, "doctor --cgroup /a --exe /bin/sh")->record.tracing.target.exe, "/bin/sh");
	assert_string_equal(accept(*state, "doctor --container web")->record.tracing.target.container, "web");
	refuse(*state, "doctor --follow", "'--follow'");
	refuse(*state, "doctor -p 1 --comm sh", "'--comm'");
}

static void test_cli_populations_are_taken(void **state)
{
	struct options *options = accept(*state, "record -p 1");

	assert_int_equal(options->record.tracing.target.population, POPULATION_LISTED);
	assert_null(options->record.tracing.target.comm);
	assert_null(options->record.tracing.target.exe);
	assert_int_equal(options->record.keep, 1000);
	assert_false(options->record.tracing.target.shared_mounts);
	assert_int_equal(accept(*state, "record --follow -p 1")->record.tracing.target.population, POPULATION_FOLLOW);
	assert_int_equal(accept(*state, "record --follow -- ls")->record.tracing.target.population, POPULATION_FOLLOW);
	assert_true(accept(*state, "record --follow --wait-children -- ls")->record.tracing.wait_children);
	refuse_command(*state, "record --wait-children -- ls", "'--wait-children' goes with '--follow -- COMMAND'");
	refuse(*state, "record --wait-children --follow -p 1", "'--follow -- COMMAND'");
	assert_int_equal(accept(*state, "record -a")->record.tracing.target.population, POPULATION_ALL);
	assert_int_equal(accept(*state, "record --all --all")->record.tracing.target.population, POPULATION_ALL);
	assert_int_equal(accept(*state, "doctor --all")->record.tracing.target.population, POPULATION_ALL);
	options = accept(*state, "record --cgroup /x");
	assert_int_equal(options->record.tracing.target.population, POPULATION_CGROUP);
	assert_string_equal(options->record.tracing.target.cgroup, "/x");
	assert_null(options->record.tracing.target.container);
	options = accept(*state, "record --container=web");
	assert_int_equal(options->record.tracing.target.population, POPULATION_CGROUP);
	assert_string_equal(options->record.tracing.target.container, "web");
	assert_null(options->record.tracing.target.cgroup);
}

static void test_cli_targets_exclude_each_other(void **state)
{
	static const char *const others[] = {"--all", "--cgroup /x", "--container x"};
	char line[64];

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		snprintf(line, sizeof(line), "record -p 1 %s", others[i]);
		refuse(*state, line, "'-p' are two targets");
		snprintf(line, sizeof(line), "record %s -- ls", others[i]);
		refuse_command(*state, line, "'ls' are two targets");
		snprintf(line, sizeof(line), "record %s --follow", others[i]);
		refuse(*state, line, "exclude each other");
		for (size_t j = 0; j < sizeof(others) / sizeof(*others); j++) {
			snprintf(line, sizeof(line), "record %s %s", others[i], others[j]);
			if (i != j)
				refuse(*state, line, "exclude each other");
		}
	}
	refuse(*state, "record --cgroup ''", "'--cgroup'");
	refuse(*state, "record --container ''", "'--container'");
}

static void test_cli_only_some_of_a_population_are_named_by_comm_and_exe(void **state)
{
	struct options *options = accept(*state, "record --all --comm fifteen-letters --exe /bin/ls --keep 4294967295");

	assert_string_equal(options->record.tracing.target.comm, "fifteen-letters");
	assert_string_equal(options->record.tracing.target.exe, "/bin/ls");
	assert_int_equal(options->record.keep, 4294967295u);
	assert_string_equal(accept(*state, "record --comm x --follow -p 1")->record.tracing.target.comm, "x");
	refuse(*state, "record --all --comm sixteen-letters-", "1 to 15 characters");
	refuse(*state, "record --all --comm ''", "'--comm '");
	refuse(*state, "record --all --exe ''", "'--exe'");
	refuse(*state, "record -p 1 --comm x", "'--comm' chooses among several");
	refuse_command(*state, "record --exe /x -- ls", "'--exe' chooses among several");
}

static void test_cli_keep_out_of_range_is_refused(void **state)
{
	refuse(*state, "record --all --keep 0", "'--keep 0'");
	refuse(*state, "record --all --keep -1", "'--keep -1'");
	refuse(*state, "record --all --keep 4294967296", "from 1 to 4294967295");
	refuse(*state, "record --all --keep", "needs an argument");
}

static void test_cli_keep_goes_with_several_processes(void **state)
{
	assert_int_equal(accept(*state, "record --keep 5 --follow -p 1")->record.keep, 5);
	assert_int_equal(accept(*state, "record --keep 5 --follow -- ls")->record.keep, 5);
	assert_int_equal(accept(*state, "record --cgroup /x --keep 5")->record.keep, 5);
	assert_int_equal(accept(*state, "record --container x --keep 5")->record.keep, 5);
	refuse(*state, "record --keep 5 -p 1",
	       "'--keep' goes with '--follow', '--all', '--cgroup' or '--container': "
	       "only they merge ended processes");
	refuse_command(*state, "record --keep 5 -- ls", "'--keep' goes with '--follow'");
	refuse(*state, "record -p 1,2 --keep 1000", "'--keep' goes with '--follow'");
}

/* timeout(1) and env(1) do the same: 1, 2 and 3 may be COMMAND's. */
static void test_cli_mistakes_before_a_command_are_125(void **state)
{
	refuse_command(*state, "record -R 0 -- ls", "-R 0");
	refuse_command(*state, "record --no-such -- ls -l", "--no-such");
	refuse_command(*state, "record -o -- ls", "'-o' needs an argument");
	refuse_command(*state, "record --output -- ls", "'--output' needs an argument");
	refuse(*state, "record -R 0 --", "-R 0");
	refuse(*state, "doctor --no-such -- ls", "--no-such");
	refuse(*state, "report -n 0 -- dir", "-n 0");
}

static void test_cli_shared_mounts_go_with_a_followed_command(void **state)
{
	assert_true(accept(*state, "record --shared-mounts --follow -- ls")->record.tracing.target.shared_mounts);
	refuse_command(*state, "record --shared-mounts -- ls", "'--shared-mounts' goes with");
	refuse(*state, "record --shared-mounts --follow -p 1", "'--shared-mounts' goes with");
	refuse(*state, "record --shared-mounts --all", "'--shared-mounts' goes with");
}

static void test_cli_inline_goes_with_a_command(void **state)
{
	assert_true(accept(*state, "record --inline -- ls")->record.tracing.target.inlined);
	assert_true(accept(*state, "record --inline --follow -- ls")->record.tracing.target.inlined);
	assert_true(accept(*state, "doctor --inline -- ls")->record.tracing.target.inlined);
	assert_true(accept(*state, "record --inline -p 1")->record.tracing.target.inlined);
	assert_true(accept(*state, "record --inline --follow -p 1")->record.tracing.target.inlined);
	assert_true(accept(*state, "record --inline --cgroup /a")->record.tracing.target.inlined);
	refuse(*state, "record --inline --all", "'--inline' goes with");
	refuse_command(*state, "record --inline --shared-mounts --follow -- ls", "--shared-mounts");
}

static void test_cli_plain_copies_go_with_a_followed_command(void **state)
{
	assert_true(accept(*state, "record --plain-copies --follow -- ls")->record.tracing.target.plain_copies);
	assert_false(accept(*state, "record --follow -- ls")->record.tracing.target.plain_copies);
	refuse_command(*state, "record --plain-copies -- ls", "'--plain-copies' goes with");
	refuse(*state, "record --plain-copies --follow -p 1", "'--plain-copies' goes with");
	refuse_command(*state, "record --inline --plain-copies --follow -- ls", "--plain-copies");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cli_command_takes_the_rest),
		TEST(test_cli_record_without_one_target_is_refused),
		TEST(test_cli_pids_are_merged_without_duplicates),
		TEST(test_cli_pid_that_is_none_is_refused),
		TEST(test_cli_process_names_are_kept_beside_numbers),
		TEST(test_cli_pids_above_the_limit_are_refused),
		TEST(test_cli_doctor_target_is_optional),
		TEST(test_cli_doctor_takes_the_targets_of_record),
		TEST(test_cli_populations_are_taken),
		TEST(test_cli_targets_exclude_each_other),
		TEST(test_cli_only_some_of_a_population_are_named_by_comm_and_exe),
		TEST(test_cli_keep_out_of_range_is_refused),
		TEST(test_cli_keep_goes_with_several_processes),
		TEST(test_cli_mistakes_before_a_command_are_125),
		TEST(test_cli_shared_mounts_go_with_a_followed_command),
		TEST(test_cli_inline_goes_with_a_command),
		TEST(test_cli_plain_copies_go_with_a_followed_command),
	};

	return cmocka_run_group_tests_name("cli_target", tests, NULL, NULL);
}
