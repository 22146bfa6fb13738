/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc/PID/status says behind as many groups as a process may have is read too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static char status_file[] = "/tmp/heaptap-status-XXXXXX";

/* In place of the path of /proc/PID/status. */
static const char *status_path(char path[PATH_MAX], pid_t pid)
{
	(void)pid;
	return memcpy(path, status_file, sizeof(status_file));
}

#define text_path(path, format, pid) status_path(path, pid)
#include "system/process_status.c"
#undef text_path

#include "system/procfs.c"

/* Lines that stand behind the groups, with values that differ from those of this process. */
static const char behind[] = "NStgid:\t77\t5\n"
			     "NSpid:\t77\t5\n"
			     "Threads:\t19\n"
			     "SigCgt:\t0000000000000200\n"
			     "Seccomp:\t2\n"
			     "x86_Thread_features:\twrss shstk \n"
			     "x86_Thread_features_locked:\t\n";

static int write_status(void **state)
{
	int fd = mkstemp(status_file);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	(void)state;
	if (!file)
		return -1;
	fprintf(file, "Name:\tsleep\nTgid:\t77\nPPid:\t3\nTracerPid:\t0\nUid:\t1000\t1001\t1002\t1003\nGroups:\t");
	for (unsigned int group = 0; group < NGROUPS_MAX; group++)
		fprintf(file, "%u ", 4000000000U + group);
	fprintf(file, "\n%s", behind);
	return fclose(file);
}

/* The last test may have done so. */
static int remove_status(void **state)
{
	(void)state;
	unlink(status_file);
	return 0;
}

static void test_fields_behind_all_groups_are_found(void **state)
{
	uid_t user = 0;
	pid_t inner = 0;

	(void)state;
	assert_int_equal(procfs_process(77), 77);
	assert_int_equal(procfs_parent(77), 3);
	assert_int_equal(procfs_threads(77), 19);
	assert_true(procfs_catches(77, 10));
	assert_false(procfs_catches(77, 11));
	assert_int_equal(procfs_seccomp(77), 2);
	assert_int_equal(procfs_inner_pid(77), 5);
	assert_int_equal(procfs_identity(77, &user, &inner), 0);
	assert_int_equal(user, 1001);
	assert_int_equal(inner, 5);
}

/* Nothing may run in a thread that has one as if it had none. */
static void test_shadow_stack_behind_all_groups_is_found(void **state)
{
	(void)state;
	assert_true(procfs_has_shadow_stack(77));
}

static void test_thread_without_a_shadow_stack_has_none(void **state)
{
	FILE *file = fopen(status_file, "we");

	(void)state;
	fputs("Name:\tsleep\nx86_Thread_features:\t\nx86_Thread_features_locked:\tshstk\n", file);
	fclose(file);
	assert_false(procfs_has_shadow_stack(77));
	unlink(status_file);
	assert_true(procfs_has_shadow_stack(77)); /* not known */
}

static void test_line_that_is_not_there_has_no_value(void **state)
{
	struct status_field fields[] = {{.key = "Threads:", .value = "old"}, {.key = "x86_Thread:", .value = "old"}};

	(void)state;
	assert_int_equal(process_status_read(77, fields, 2), 0);
	assert_string_equal(fields[0].value, "\t19");
	assert_string_equal(fields[1].value, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_behind_all_groups_are_found),
		cmocka_unit_test(test_shadow_stack_behind_all_groups_is_found),
		cmocka_unit_test(test_line_that_is_not_there_has_no_value),
		cmocka_unit_test(test_thread_without_a_shadow_stack_has_none),
	};

	return cmocka_run_group_tests_name("process status", tests, write_status, remove_status);
}
