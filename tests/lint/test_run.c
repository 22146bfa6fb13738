/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/run.sh on programs that print what cmocka prints: failures are named at the end, what a program leaves running is ended,
 * also when run.sh is stopped or killed, what gets on runs at once and nothing else does, and T chooses what `make test` runs.
 */
#include <errno.h>
#include <libgen.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/binary/shell.h"
#include "unit/system/scratch.h"

#define DEADLINE_S 120
#define RUN_HANG   "exec '" SOURCE_DIR "/tests/run.sh' ./hang >words 2>&1"

static char output[65536];

/* The runner's OUT is where this test was built: OUT/tests/lint/test_run. */
static void set_out(void)
{
	char self[PATH_MAX] = "";

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	assert_int_equal(setenv("OUT", dirname(dirname(dirname(self))), 1), 0);
}

static int setup(void **state)
{
	if (scratch_setup(state))
		return -1;
	set_out();
	/* Those of the make that may run this test. */
	unsetenv("MAKEFLAGS");
	unsetenv("MFLAGS");
	unsetenv("HEAPTAP_CI_LIMITED"); /* .ci/run has it */
	unsetenv("HEAPTAP_LIVE_MAX");
	scratch_file("good", "#!/bin/sh\necho '[  PASSED  ] 2 test(s).'\n", 0755);
	scratch_file("bad",
		     "#!/bin/sh\necho '[  PASSED  ] 1 test(s).'\necho '[  FAILED  ] 2 test(s), listed below:'\n"
		     "echo '[  FAILED  ] test_one'\necho '[  FAILED  ] test_two'\nexit 2\n",
		     0755);
	scratch_file("crash", "#!/bin/sh\nkill -SEGV $$\n", 0755);
	/* A daemon: in a session of its own, with its parent gone, by another name, and in an empty environment. */
	scratch_file("leave",
		     "#!/bin/sh\n(setsid env -i sh -c 'echo $$ >new && mv new daemon; exec sleep 1000' &)\n"
		     "until [ -e daemon ]; do sleep 0.01; done\necho '[  PASSED  ] 1 test(s).'\n",
		     0755);
	/* Twice as long as it may be silent. */
	scratch_file(
		"slow",
		"#!/bin/sh\nuntil [ $(($(date +%s) - ${start:=$(date +%s)})) -ge 20 ]; do echo a word; sleep 0.1; done\n"
		"echo '[  PASSED  ] 1 test(s).'\n",
		0755);
	scratch_file("hang", "#!/bin/sh\n./leave\necho $$ >new && mv new hanging\nsleep 1000\n", 0755);
	return 0;
}

/* Its words, with those on stderr, are in `output`. Returns its exit status. */
static int say(const char *command)
{
	FILE *pipe = popen(command, "r");
	size_t length;

	assert_non_null(pipe);
	length = fread(output, 1, sizeof(output) - 1, pipe);
	output[length] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

static int run_programs(const char *programs)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "'%s/tests/run.sh' %s 2>&1", SOURCE_DIR, programs);
	return say(command);
}

static void assert_end(const char *end)
{
	size_t length = strlen(output), wanted = strlen(end);

	if (length < wanted || strcmp(output + length - wanted, end))
		fail_msg("not at the end of:\n%s\nbut should be:\n%s", output, end);
}

static pid_t pid_in(const char *name)
{
	FILE *file = fopen(name, "re");
	int pid = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	return pid;
}

static bool is_there(const void *name)
{
	return scratch_has(name);
}

static bool is_gone(const void *pid)
{
	return kill(*(const pid_t *)pid, 0) && errno == ESRCH;
}

static void await(bool (*true_of)(const void *arg), const void *arg, const char *what)
{
	for (int i = 0; !true_of(arg); i++) {
		if (i == DEADLINE_S * 100)
			fail_msg("%s", what);
		usleep(10000);
	}
}

static void test_run_failures_are_named_before_the_sum(void **state)
{
	(void)state;
	assert_int_equal(run_programs("./good ./bad NAME=value ./crash"), 1);
	assert_end("failed (make test T=NAME runs the programs whose name contains NAME):\n"
		   "  ./bad: test_one\n"
		   "  ./bad: test_two\n"
		   "  ./crash with NAME=value: ended with status 139 and no summary of a failure\n"
		   "3 passed, 3 failed, 0 skipped\n");
}

static void test_run_without_failures_ends_with_the_sum_alone(void **state)
{
	(void)state;
	assert_int_equal(run_programs("./good"), 0);
	assert_end(" s)\n2 passed, 0 failed, 0 skipped\n");
	assert_null(strstr(output, "failed ("));
}

/* With programs that only end if others run beside them, and some that only pass if none does. `sudo` is for a user who may not use it. */
static int setup_company(void **state)
{
	char ours[PATH_MAX];

	if (setup(state))
		return -1;
	scratch_file("sudo", "#!/bin/sh\nshift\nexec \"$@\"\n", 0755);
	snprintf(ours, sizeof(ours), ".:%s", getenv("PATH"));
	setenv("PATH", ours, 1);
	setenv("HEAPTAP_TEST_SECONDS", "120", 1);
	setenv("HEAPTAP_TESTS_AT_ONCE", "3", 1);
	scratch_file("meet",
		     "#!/bin/sh\n: >$1.there\nuntil [ -e $2.there ]; do sleep 0.01; done\n"
		     "echo '[  PASSED  ] 1 test(s).'\n",
		     0755);
	scratch_file("left", "#!/bin/sh\nexec ./meet left right\n", 0755);
	scratch_file("right", "#!/bin/sh\nexec ./meet right left\n", 0755);
	scratch_file("single",
		     "#!/bin/sh\nmkdir place || exit 1\nsleep 0.1\nls guest.* && exit 1\nrmdir place\n"
		     "echo '[  PASSED  ] 1 test(s).'\n",
		     0755);
	scratch_file("guest",
		     "#!/bin/sh\n: >guest.$$\n[ ! -e place ] || exit 1\nsleep 0.1\n[ ! -e place ] || exit 1\n"
		     "rm guest.$$\necho '[  PASSED  ] 1 test(s).'\n",
		     0755);
	return 0;
}

static int teardown_company(void **state)
{
	unsetenv("HEAPTAP_TEST_SECONDS");
	unsetenv("HEAPTAP_TESTS_AT_ONCE");
	setenv("PATH", strchr(getenv("PATH"), ':') + 1, 1);
	return scratch_teardown(state);
}

static void check_company(const char *programs, const char *sum)
{
	assert_int_equal(run_programs(programs), 0);
	assert_end(sum);
}

static void test_run_has_two_rows_beside_each_other(void **state)
{
	(void)state;
	assert_int_equal(
		run_programs("./good --beside ./left ./good --root ./right ./single ./single NAME=value ./bad"), 1);
	assert_end("failed (make test T=NAME runs the programs whose name contains NAME):\n"
		   "  ./bad with NAME=value: test_one\n"
		   "  ./bad with NAME=value: test_two\n"
		   "9 passed, 2 failed, 0 skipped\n");
}

static void test_run_traces_at_once_what_gets_on(void **state)
{
	(void)state;
	check_company("--root=any ./left ./right", "\n2 passed, 0 failed, 0 skipped\n");
	assert_int_equal(system("rm ./*.there"), 0);
	check_company("--root=probes ./left ./right", "\n2 passed, 0 failed, 0 skipped\n");
	assert_int_equal(system("rm ./*.there"), 0);
	/* The one in the middle has to wait, and is overtaken. */
	check_company("--root=code ./left --root=probes ./guest --root=any ./right",
		      "\n3 passed, 0 failed, 0 skipped\n");
}

static void test_run_keeps_apart_what_does_not_get_on(void **state)
{
	(void)state;
	check_company("--root=code ./single ./single --root=probes ./guest ./guest --root=code ./single",
		      "\n5 passed, 0 failed, 0 skipped\n");
	check_company("--root=any ./guest --root ./single ./single --root=any ./guest --root=probes ./guest",
		      "\n5 passed, 0 failed, 0 skipped\n");
	check_company("--root=probes ./guest NAME=value --root=code ./single --root ./single",
		      "\n3 passed, 0 failed, 0 skipped\n");
}

static void test_run_has_heaptap_make_a_smaller_map(void **state)
{
	(void)state;
	scratch_file("rows", "#!/bin/sh\n[ $HEAPTAP_LIVE_MAX = 524288 ] && echo '[  PASSED  ] 1 test(s).'\n", 0755);
	assert_int_equal(run_programs("./rows"), 0);
}

static void test_run_of_an_option_that_is_none_is_refused(void **state)
{
	(void)state;
	assert_int_equal(run_programs("--root=all ./good"), 2);
	assert_non_null(strstr(output, "no option --root=all"));
}

static void test_run_of_nothing_is_refused(void **state)
{
	(void)state;
	assert_int_equal(run_programs(""), 2);
	assert_non_null(strstr(output, "no test program to run"));
}

static void test_run_ends_what_a_program_leaves(void **state)
{
	pid_t daemon;

	(void)state;
	assert_int_equal(run_programs("./leave"), 0);
	daemon = pid_in("daemon");
	assert_true(is_gone(&daemon));
}

static void test_run_ends_what_hangs(void **state)
{
	pid_t daemon, hanging;

	(void)state;
	assert_int_equal(setenv("HEAPTAP_TEST_SECONDS", "2", 1), 0);
	assert_int_equal(run_programs("./hang"), 1);
	unsetenv("HEAPTAP_TEST_SECONDS");
	assert_non_null(strstr(output, "  ./hang: stopped after 2 s without a word\n"));
	daemon = pid_in("daemon"), hanging = pid_in("hanging");
	assert_true(is_gone(&daemon) && is_gone(&hanging));
}

/* Nothing of it is there once `command` has ended, or, if that was killed, soon after. */
static void check_stopped(const char *command, int signal)
{
	pid_t runner = fork(), daemon, hanging;
	int status;

	assert_true(runner >= 0);
	if (!runner) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	await(is_there, "hanging", "the program was not run");
	daemon = pid_in("daemon"), hanging = pid_in("hanging");
	assert_int_equal(kill(runner, signal), 0);
	assert_int_equal(waitpid(runner, &status, 0), runner);
	if (signal == SIGKILL) {
		await(is_gone, &daemon, "the daemon is left");
		await(is_gone, &hanging, "the program is left");
	} else {
		assert_int_equal(WEXITSTATUS(status), 128 + signal);
	}
	assert_true(is_gone(&daemon) && is_gone(&hanging));
}

static void test_run_lets_go_on_what_says_so(void **state)
{
	(void)state;
	assert_int_equal(setenv("HEAPTAP_TEST_SECONDS", "10", 1), 0);
	assert_int_equal(run_programs("./slow"), 0);
	unsetenv("HEAPTAP_TEST_SECONDS");
	assert_non_null(strstr(output, "1 passed, 0 failed, 0 skipped\n"));
}

static void test_run_stopped_by_sigterm_leaves_nothing(void **state)
{
	(void)state;
	check_stopped(RUN_HANG, SIGTERM);
}

static void test_run_stopped_by_sigint_leaves_nothing(void **state)
{
	(void)state;
	check_stopped(RUN_HANG, SIGINT);
}

static void test_run_stopped_while_it_traces_leaves_nothing(void **state)
{
	(void)state;
	check_stopped("exec '" SOURCE_DIR "/tests/run.sh' --root=any ./hang ./good >words 2>&1", SIGTERM);
}

/* As a tee beside it that the same signal ended. */
static void test_run_whose_reader_is_gone_leaves_nothing(void **state)
{
	(void)state;
	check_stopped("mkfifo pipe && { : <pipe & } && exec '" SOURCE_DIR "/tests/run.sh' ./hang >pipe 2>&1", SIGTERM);
}

static void test_run_that_is_killed_leaves_nothing(void **state)
{
	(void)state;
	check_stopped(RUN_HANG, SIGKILL);
}

/* All its steps, on a tree in which only `make test` does something. */
static void test_ci_run_stopped_by_sigterm_leaves_nothing(void **state)
{
	(void)state;
	run("mkdir .ci && cp '" SOURCE_DIR "/.ci/run' .ci/run && cp /bin/true .ci/setup");
	scratch_file("Makefile", "all lint demo fuzz compilers:\n\ntest:\n\t'" SOURCE_DIR "/tests/run.sh' ./hang\n",
		     0644);
	check_stopped("exec .ci/run >words 2>&1", SIGTERM);
}

static void test_make_runs_the_programs_that_t_names(void **state)
{
	(void)state;
	assert_int_equal(say("make -s -n -C '" SOURCE_DIR "' OUT=/nowhere test T=walk_self | grep tests/run.sh"), 0);
	assert_string_equal(output, "OUT='/nowhere' tests/run.sh /nowhere/tests/unit/unwind/test_walk_self "
				    "/nowhere/asan/tests/unit/unwind/test_walk_self  \\\n");
	/* The sanitizers have nothing to say of a law of chance. */
	assert_int_equal(say("make -s -n -C '" SOURCE_DIR "' OUT=/nowhere asan T=_rate | grep run.sh.*_rate"), 1);
}

/* All that are listed as such first, then those that are not listed, and last what runs alone. */
static void test_make_says_what_runs_beside_what(void **state)
{
	(void)state;
	assert_int_equal(say("make -s -n -C '" SOURCE_DIR "' OUT=/nowhere e2e T=e2e/test_s | grep tests/run.sh"), 0);
	assert_non_null(strstr(output, " --root=code /nowhere/tests/e2e/test_sampler_start "));
	assert_non_null(strstr(output, " --root=probes /nowhere/tests/e2e/test_scope_errors "));
	assert_non_null(strstr(output, " --root=any /nowhere/tests/e2e/test_sampling "));
	assert_end(" --root /nowhere/tests/e2e/test_shortage /nowhere/tests/e2e/test_speed\n");
}

static void test_make_refuses_a_t_that_names_nothing(void **state)
{
	(void)state;
	assert_int_equal(say("make -s -n -C '" SOURCE_DIR "' test T=nonsense 2>&1"), 2);
	assert_non_null(strstr(output, "no test program has 'nonsense' in its name"));
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)
#define COMPANY(name) cmocka_unit_test_setup_teardown(name, setup_company, teardown_company)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_run_failures_are_named_before_the_sum),
		TEST(test_run_without_failures_ends_with_the_sum_alone),
		COMPANY(test_run_has_two_rows_beside_each_other),
		COMPANY(test_run_traces_at_once_what_gets_on),
		COMPANY(test_run_keeps_apart_what_does_not_get_on),
		TEST(test_run_has_heaptap_make_a_smaller_map),
		TEST(test_run_of_an_option_that_is_none_is_refused),
		TEST(test_run_of_nothing_is_refused),
		TEST(test_run_ends_what_a_program_leaves),
		TEST(test_run_ends_what_hangs),
		TEST(test_run_lets_go_on_what_says_so),
		TEST(test_run_stopped_by_sigterm_leaves_nothing),
		TEST(test_run_stopped_by_sigint_leaves_nothing),
		COMPANY(test_run_stopped_while_it_traces_leaves_nothing),
		TEST(test_run_whose_reader_is_gone_leaves_nothing),
		TEST(test_run_that_is_killed_leaves_nothing),
		TEST(test_ci_run_stopped_by_sigterm_leaves_nothing),
		TEST(test_make_runs_the_programs_that_t_names),
		TEST(test_make_says_what_runs_beside_what),
		TEST(test_make_refuses_a_t_that_names_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
