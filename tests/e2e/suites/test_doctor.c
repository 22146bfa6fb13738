/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor says about groups, containers and all processes: files, sites, the processes that use them, those left out, and
 * those that would pay too. Processes that a count must name exactly have a C library of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/examination.h"

/* Which of two comes first is not a matter of the order they were started in. */
static void assert_said_either(const struct stage *stage, const char *words, const char *others)
{
	if (!strstr(stage->text, words))
		assert_said(stage, others);
}

/* --- groups --------------------------------------------------------------------------------------------------------- */

static void test_doctor_group_names_file_users_and_bystanders(void **state)
{
	struct stage *stage = *state;
	struct child *more = stage->scene->more;

	examinee_start_private(stage, &more[0], &stage->group);
	examinee_start_private(stage, &more[1], &stage->group);
	examinee_start_private(stage, &more[2], NULL);
	examine(stage, "", format("--cgroup '%s'", stage->group.path), 0);
	assert_said(stage, format("\nCgroup '%s': 2 now\n  glibc in '%s/libc.so.6'\n    mapped by 2 processes:",
				  stage->group.path, stage->scene->dir));
	assert_said_either(stage, format(" %d (ld-linux-x86-64), %d (ld-linux-x86-64)\n", more[0].pid, more[1].pid),
			   format(" %d (ld-linux-x86-64), %d (ld-linux-x86-64)\n", more[1].pid, more[0].pid));
	assert_said(stage, "    probes:");
	assert_said(stage, " malloc+");
	assert_said(stage, " free+");
	assert_said(stage, "in 1 file are unfiltered: 1 other process maps it now and would pay");
	assert_said(stage, " us for each malloc and free until heaptap stops");
}

static void test_doctor_group_without_bystanders_says_so(void **state)
{
	struct stage *stage = *state;

	examinee_start_private(stage, &stage->scene->target, &stage->group);
	examine(stage, "", format("--cgroup '%s'", stage->group.path), 0);
	assert_said(stage, "in 1 file are unfiltered: no other process maps it now");
}

static void test_doctor_group_names_whom_it_leaves_out(void **state)
{
	struct stage *stage = *state;
	struct child *more = stage->scene->more;
	bool short_words = child_can_run("target_bare32");

	examinee_start_here(&more[0], &stage->group, "target_leak");
	examinee_start_here(&more[1], &stage->group, "target_bare");
	if (short_words)
		examinee_start_here(&more[2], &stage->group, "target_bare32");
	examine(stage, "", format("--cgroup '%s'", stage->group.path), 0);
	assert_said(stage, format(": %d now\n", 2 + short_words));
	assert_said(stage, format("mapped by 1 process: %d (target_leak)\n", more[0].pid));
	assert_said(stage,
		    format("1 process without an allocator that heaptap knows: %d (target_bare)\n", more[1].pid));
	if (short_words)
		assert_said(stage, format("1 process of 32 bits, refused, as heaptap traces those of 64 bits only: "
					  "%d (target_bare32)\n",
					  more[2].pid));
}

static void test_doctor_group_names_files_that_cannot_be_opened(void **state)
{
	struct stage *stage = *state;

	examinee_start_private(stage, &stage->scene->target, &stage->group);
	assert_int_equal(unlink(format("%s/libc.so.6", stage->scene->dir)), 0);
	examine(stage, "setpriv --bounding-set=-sys_admin,-checkpoint_restore",
		format("--cgroup '%s'", stage->group.path), 0);
	assert_said(stage, format("1 file cannot be opened, as '%s/libc.so.6' of process %d: "
				  "CAP_CHECKPOINT_RESTORE missing",
				  stage->scene->dir, stage->scene->target.pid));
	assert_said(stage, "no allocator that heaptap knows");
}

static void test_doctor_names_few_of_many(void **state)
{
	struct stage *stage = *state;

	for (int i = 0; i < 7; i++)
		examinee_start_here(&stage->scene->more[i], &stage->group, "target_bare");
	examine(stage, "", format("--cgroup '%s'", stage->group.path), 0);
	assert_said(stage, "7 processes without an allocator that heaptap knows:");
	assert_said(stage, "(target_bare) and 2 more\n");
}

static void test_doctor_scope_errors_are_those_of_record(void **state)
{
	static const char unmount[] =
		"unshare -m sh -ec 'for point in $(awk \"\\$3 == \\\"cgroup2\\\" { print \\$2 }\" "
		"/proc/self/mounts); do umount -l $point; done; exec \"$@\"' sh";
	struct stage *stage = *state;

	examine(stage, "", format("--cgroup '%s'", stage->group.path), STATUS_TARGET);
	assert_said(stage, stage->group.path);
	examine(stage, "", "--cgroup /heaptap-no-such", STATUS_TARGET);
	examine(stage, "", "--container heaptap-no-such", STATUS_TARGET);
	assert_said(stage, "heaptap-no-such");
	examine(stage, unmount, format("--cgroup '%s'", stage->group.path), STATUS_KERNEL);
	assert_said(stage, "version 2");
}

static void test_doctor_container_is_named(void **state)
{
	static const char id[] = "d0c70aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct stage *stage = *state;
	struct group group;

	group_make_below(&group, &stage->group, format("libpod-%s.scope", id));
	examinee_start_private(stage, &stage->scene->target, &group);
	examine(stage, "", "--container d0c70aaa", 0);
	assert_said(stage, "\nContainer 'd0c70aaa' (d0c70aaaaaaa, podman): 1 now\n");
	assert_said(stage, format("mapped by 1 process: %d (", stage->scene->target.pid));
}

/* --- all, and of these some ----------------------------------------------------------------------------------------- */

static void test_doctor_all_leaves_nobody_to_pay(void **state)
{
	struct stage *stage = *state;

	examinee_start_private(stage, &stage->scene->target, NULL);
	examine(stage, "", "--all", 0);
	assert_said(stage, format("  glibc in '%s/libc.so.6'\n    mapped by 1 process: %d (", stage->scene->dir,
				  stage->scene->target.pid));
	assert_said(stage, "no other process: every process is traced\n");
}

static void test_doctor_of_all_those_of_one_executable(void **state)
{
	struct stage *stage = *state;

	examinee_start_private(stage, &stage->scene->more[0], NULL);
	examinee_start_private(stage, &stage->scene->more[1], NULL);
	examine(stage, "", format("--all --exe '%s/ld-linux-x86-64.so.2'", stage->scene->dir), 0);
	assert_said(stage, "as --comm and --exe choose: 2 now\n");
	assert_said(stage, "no other process maps it now");
}

static void test_doctor_says_what_a_small_footprint_gives_up(void **state)
{
	struct stage *stage = *state;

	examine(stage, "", "--footprint small", 0);
	assert_said(stage, "\nMemory\n  the ring and the BPF maps take 1");
	assert_said(stage, "\n  1.0 MiB    16.0 MiB   events in the ring           lost_ring");
	assert_said(stage, "\n  65 536     1 048 576  live sampled objects         refused");
	assert_said(stage, "\n  16 384     1 048 576  sites and stacks             stack_no_room");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_doctor_group_names_file_users_and_bystanders),
		TEST(test_doctor_group_without_bystanders_says_so),
		TEST(test_doctor_group_names_whom_it_leaves_out),
		TEST(test_doctor_group_names_files_that_cannot_be_opened),
		TEST(test_doctor_names_few_of_many),
		TEST(test_doctor_scope_errors_are_those_of_record),
		TEST(test_doctor_container_is_named),
		TEST(test_doctor_all_leaves_nobody_to_pay),
		TEST(test_doctor_of_all_those_of_one_executable),
		TEST(test_doctor_says_what_a_small_footprint_gives_up),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
