/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/run.sh in a root of its own that lacks what tests need of a machine: it says so before the first of those that trace, with what
 * to do, and says nothing of what is there. Takes no root where users may have namespaces of their own.
 */
#include <libgen.h>
#include <setjmp.h>
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

#define LACKS "tests will fail that need what is missing here: "

static char output[65536]; /* of run.sh */

/* The machine's programs, its /proc and nothing else, so that no other mount of it is seen in there. $1: mounts that are made besides. */
static const char enter[] = "set -e\n"
			    "mkdir -p root/usr root/etc root/proc root/dev root/tmp root/groups root/out/tests\n"
			    "eval \"$1\"\n"
			    "shift\n"
			    "cp -P /bin /lib /lib64 /sbin root\n"
			    "for dir in usr etc proc; do mount --rbind /$dir root/$dir; done\n"
			    "ln -sfn /proc/self/fd root/dev/fd && : >root/dev/null\n"
			    "cp run.sh good root && cp subreaper root/out/tests\n"
			    "exec chroot root /usr/bin/env OUT=/out ./run.sh \"$@\"\n";

static const char *unshare_command(void)
{
	return geteuid() ? "unshare -rmC" : "unshare -mC";
}

static int setup(void **state)
{
	char self[PATH_MAX] = "";

	if (scratch_setup(state) || readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0)
		return -1;
	scratch_file("enter", enter, 0644);
	scratch_file("good", "#!/bin/sh\necho '[  PASSED  ] 2 test(s).'\n", 0755);
	run("cp '%s/tests/run.sh' .", SOURCE_DIR);
	run("cp '%s/subreaper' .", dirname(dirname(self)));
	return 0;
}

static void run_in_root(const char *mounts, const char *arguments)
{
	char command[PATH_MAX];
	FILE *pipe;
	size_t length;

	snprintf(command, sizeof(command), "%s true", unshare_command());
	if (system(command)) {
		print_message("no mount namespace can be made here\n");
		skip();
	}
	snprintf(command, sizeof(command), "%s sh enter '%s' %s 2>&1", unshare_command(), mounts, arguments);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	length = fread(output, 1, sizeof(output) - 1, pipe);
	output[length] = '\0';
	if (pclose(pipe))
		fail_msg("%s", output);
}

static void assert_lacks(const char *what)
{
	const char *lacks = strstr(output, LACKS), *at = lacks ? strstr(lacks, what) : NULL;

	if (!at || at > strchr(lacks, '\n'))
		fail_msg("'%s' is not named:\n%s", what, output);
}

static void assert_does_not_lack(const char *what)
{
	if (strstr(output, what))
		fail_msg("'%s' is named:\n%s", what, output);
}

static void test_run_names_what_is_missing_before_the_first_test(void **state)
{
	(void)state;
	run_in_root("", "--root ./good");
	assert_lacks("a mounted cgroup2 (mount -t cgroup2 none /sys/fs/cgroup)");
	assert_lacks("; a root that is a mount point (");
	assert_lacks("; the types of the kernel in /sys/kernel/btf (");
	assert_lacks("; /dev/kmsg (");
	assert_lacks("; /dev/pts (");
	assert_true(strstr(output, LACKS) < strstr(output, "./good: 2 passed"));
}

/* Each as it is told to be mended. */
static void test_run_does_not_name_what_is_there(void **state)
{
	(void)state;
	run_in_root("mount --bind root root && mount -t cgroup2 none root/groups", "--root ./good");
	assert_does_not_lack("a root that is a mount point");
	assert_does_not_lack("a mounted cgroup2");
	assert_lacks("/dev/kmsg (");
}

static void test_run_says_nothing_where_nothing_is_traced(void **state)
{
	(void)state;
	run_in_root("", "./good");
	assert_does_not_lack(LACKS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_run_names_what_is_missing_before_the_first_test),
		TEST(test_run_does_not_name_what_is_there),
		TEST(test_run_says_nothing_where_nothing_is_traced),
	};

	return cmocka_run_group_tests_name("run environment", tests, NULL, NULL);
}
