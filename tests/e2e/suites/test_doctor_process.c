/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor says about processes given by PID, about their children and a COMMAND, and which others would pay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/examination.h"

/* --- processes ------------------------------------------------------------------------------------------------------ */

static void test_doctor_few_processes_make_nobody_pay(void **state)
{
	struct stage *stage = *state;

	examinee_start_here(&stage->scene->target, NULL, "target_leak");
	examine(stage, "", format("-p %d", stage->scene->target.pid), 0);
	assert_said(stage, "no other process: the probes are for the processes named alone");
}

/* Functions that throw have unfiltered probes where sessions take their return legs. */
static void test_doctor_operator_new_makes_others_pay(void **state)
{
	struct stage *stage = *state;
	const char *library = format("%s/libjemalloc.so.2", stage->scene->dir);
	const char *const environment[] = {format("LD_PRELOAD=%s", library), NULL};

	assert_int_equal(system(format("cp /usr/lib/x86_64-linux-gnu/libjemalloc.so.2 '%s'", stage->scene->dir)), 0);
	target_start(&stage->scene->target, environment, (const char *const[]){beside("target_leak"), "malloc", NULL});
	target_ready(&stage->scene->target);
	examine(stage, "HEAPTAP_ATTACH=perf", format("-p %d", stage->scene->target.pid), 0);
	assert_said(stage, format("jemalloc in '%s'", library));
	assert_said(stage, "no other process: the probes are for the processes named alone");
	examine(stage, "", format("-p %d", stage->scene->target.pid), 0);
	if (strstr(stage->text, "attaches by session"))
		assert_said(stage, "probes of operator new in 1 file are unfiltered: no other process maps it now");
	else
		assert_said(stage, "no other process: the probes are for the processes named alone");
}

static void test_doctor_thread_is_4_and_names_its_process(void **state)
{
	struct stage *stage = *state;
	struct child *target = &stage->scene->target;

	examinee_start(target, NULL, (const char *const[]){beside("target_exit"), "leader-exit", NULL});
	target_go(target);
	target_ready(target);
	/* Its main thread is about to leave, or has left; the other one stays. */
	examine(stage, "", format("-p \"$(ls /proc/%d/task | grep -vx %d)\"", target->pid, target->pid), STATUS_TARGET);
	assert_said(stage, format("is a thread of process %d (", target->pid));
	assert_null(strstr(stage->text, "Who else pays"));
}

static void test_doctor_process_without_main_thread_makes_others_pay(void **state)
{
	struct stage *stage = *state;
	struct child *target = &stage->scene->target;

	examinee_start(target, NULL, (const char *const[]){beside("target_exit"), "leader-exit", NULL});
	target_go(target);
	target_ready(target);
	target_await_leader_gone(target);
	examine(stage, "", format("-p %d", target->pid), 0);
	assert_said(stage, "its main thread has exited");
	assert_said(stage, "unfiltered: ");
}

static void test_doctor_without_target_speaks_of_none(void **state)
{
	struct stage *stage = *state;

	examine(stage, "", "", 0);
	assert_said(stage, "\nCost\n");
	assert_null(strstr(stage->text, "Who else pays"));
}

/* "1,2,3": one more than have probes of their own. The last one is a program of its own kind. */
static const char *start_many(struct stage *stage, const char *last)
{
	static char pids[256];
	struct child *more = stage->scene->more;

	*pids = '\0';
	for (int i = 0; i < MORE_MAX; i++) {
		if (i == MORE_MAX - 1 && last)
			examinee_start_here(&more[i], NULL, last);
		else
			examinee_start_private(stage, &more[i], NULL);
		sprintf(pids + strlen(pids), "%s%d", i ? "," : "", more[i].pid);
	}
	return pids;
}

static void test_doctor_many_processes_make_others_pay(void **state)
{
	struct stage *stage = *state;
	const char *pids = start_many(stage, NULL);

	examinee_start_private(stage, &stage->scene->target, NULL);
	examine(stage, "", format("-p %s", pids), 0);
	assert_said(stage, format("\nThe processes named: %d now\n", MORE_MAX));
	assert_said(stage, format("mapped by %d processes:", MORE_MAX));
	assert_said(stage, "1 other process maps it now");
}

static void test_doctor_many_processes_of_which_one_has_ended_are_4(void **state)
{
	struct stage *stage = *state;
	struct child *first = stage->scene->more;
	const char *pids = start_many(stage, NULL);

	target_go(first);
	assert_int_equal(target_finish(first), 0);
	examine(stage, "", format("-p %s", pids), STATUS_TARGET);
	assert_said(stage, "no process");
}

static void test_doctor_many_processes_of_which_one_has_no_allocator_are_4(void **state)
{
	struct stage *stage = *state;

	examine(stage, "", format("-p %s", start_many(stage, "target_bare")), STATUS_TARGET);
	assert_said(stage, "1 process without an allocator that heaptap knows:");
}

static void test_doctor_follow_counts_the_children(void **state)
{
	struct stage *stage = *state;
	struct child *target = &stage->scene->target;
	pid_t pid;

	examinee_start(target, NULL,
		       (const char *const[]){"/bin/sh", "-c", "exec 3<&0; \"$0\" malloc <&3 & wait",
					     beside("target_leak"), NULL});
	examine(stage, "", format("--follow -p %d", target->pid), 0);
	assert_said(stage, "\nThe processes named and their children: 2 now\n");
	assert_said(stage, format("%d (sh)", target->pid));
	assert_said(stage, "(target_leak)");
	assert_said(stage, "unfiltered");
	pid = target->pid;
	target_go(target);
	assert_int_equal(target_finish(target), 0);
	examine(stage, "", format("--follow -p %d", pid), STATUS_TARGET);
}

/* --- COMMAND -------------------------------------------------------------------------------------------------------- */

static void test_doctor_followed_command_spares_others_if_it_may(void **state)
{
	struct stage *stage = *state;

	examine(stage, "", "--follow -- true", 0);
	assert_said(stage, "no other process: 'true' and its children get copies of");
	examine(stage, "", "--follow --shared-mounts -- true", 0);
	assert_said(stage, "unfiltered");
	examine(stage, "setpriv --bounding-set=-sys_admin", "--follow -- true", 0);
	assert_said(stage, "because heaptap has no CAP_SYS_ADMIN");
	assert_said(stage, "unfiltered");
}

static void test_doctor_command_alone_makes_nobody_pay(void **state)
{
	struct stage *stage = *state;

	examine(stage, "", "-- true", 0);
	assert_said(stage, "no other process: the probes are for COMMAND alone");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_doctor_few_processes_make_nobody_pay),
		TEST(test_doctor_operator_new_makes_others_pay),
		TEST(test_doctor_thread_is_4_and_names_its_process),
		TEST(test_doctor_process_without_main_thread_makes_others_pay),
		TEST(test_doctor_without_target_speaks_of_none),
		TEST(test_doctor_many_processes_make_others_pay),
		TEST(test_doctor_many_processes_of_which_one_has_ended_are_4),
		TEST(test_doctor_many_processes_of_which_one_has_no_allocator_are_4),
		TEST(test_doctor_follow_counts_the_children),
		TEST(test_doctor_followed_command_spares_others_if_it_may),
		TEST(test_doctor_command_alone_makes_nobody_pay),
	};

	return cmocka_run_group_tests_name("doctor_process", tests, NULL, NULL);
}
