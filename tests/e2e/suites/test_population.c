/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two thousand processes, two hundred of them allocating: heaptap reads little of each to trace them, and little while it does, and needs
 * little memory (how much time it takes is measured by bench/population.sh). It does not grow while processes come and go, and does not keep the files of programs that ran once.
 */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/dialogue.h"
#include "e2e/kit/memory.h"
#include "e2e/kit/population.h"
#include "e2e/kit/stage.h"
#include "system/pid_list.h"

#define PROCESSES	  2000
#define ACTIVE		  200
#define ATTACH_READS_MAX  60 /* for each process; 26 */
#define MEMORY_KB_MAX	  (128 << 10)
#define WORK_SECONDS	  5
#define WORK_READS_MAX	  5 /* the same; one or two */
#define FORK_RATE	  100
#define FORK_SECONDS	  5
#define BATCHES_MAX	  5
#define GROWTH_KB_MAX	  (4 << 10)
#define PROGRAMS	  2000
#define PROGRAMS_STEP	  250
#define PROGRAMS_INTERVAL "20000" /* a few samples each: every one of a new program has its stack sent raw */
#define DESCRIPTORS_MAX	  1200	  /* of 512 files that nobody uses, and of one step's programs */

static struct dialogue crowd;

static int setup(void **state)
{
	crowd = (struct dialogue){-1, -1};
	return stage_setup(state);
}

static int teardown(void **state)
{
	dialogue_close(&crowd);
	return stage_teardown(state);
}

static void start_crowd(struct stage *stage, unsigned int count, unsigned int active)
{
	const char *dir = format("%s/crowd", stage->scene->dir);

	dialogue_open(&crowd, dir);
	stage_start(
		&stage->scene->target, &stage->group,
		(const char *const[]){beside("target_crowd"), dir, format("%u", count), format("%u", active), NULL});
	dialogue_order(&crowd, "work 0"); /* all are there */
}

static void attach(struct stage *stage, const char *const *args)
{
	session_start(&stage->scene->session, stage->scene, args);
	session_attached(&stage->scene->session);
}

static void detach(struct stage *stage)
{
	session_signal(&stage->scene->session, SIGINT);
	assert_int_equal(session_finish(&stage->scene->session), 0);
}

/* How often heaptap has read something, as a file of /proc: about the same on a machine with other work. */
static uint64_t reads(const struct session *session)
{
	FILE *file = fopen(format("/proc/%d/io", session->child.pid), "re");
	unsigned long count;

	if (!file || fscanf(file, "rchar: %*u wchar: %*u syscr: %lu", &count) != 1)
		fail_msg("heaptap is gone");
	fclose(file);
	return count;
}

static unsigned int processes_here(void)
{
	struct pid_list all;
	unsigned int count;

	assert_int_equal(pid_list_all(&all), 0);
	count = all.count;
	pid_list_release(&all);
	return count;
}

static void check_crowd(struct stage *stage, const char *const *args)
{
	const struct session *session = &stage->scene->session;
	uint64_t attach_reads, work_reads, kb;
	unsigned int processes;

	attach(stage, args);
	attach_reads = reads(session);
	processes = processes_here();
	dialogue_order(&crowd, format("work %d", WORK_SECONDS));
	work_reads = reads(session) - attach_reads;
	kb = memory_kb(session, "RssAnon");
	detach(stage);
	printf("RssAnon %lu KiB; %lu reads to attach, beside %u processes, and %lu while they worked\n",
	       (unsigned long)kb, (unsigned long)attach_reads, processes, (unsigned long)work_reads);
	assert_true(attach_reads < (uint64_t)ATTACH_READS_MAX * processes);
	assert_true(kb < MEMORY_KB_MAX);
	assert_true(work_reads < (uint64_t)WORK_READS_MAX * processes);
	assert_int_equal(population_count(session, "target_crowd"), ACTIVE);
	population_assert_clean(session);
}

static void test_population_of_a_group_costs_little(void **state)
{
	struct stage *stage = *state;

	start_crowd(stage, PROCESSES, ACTIVE);
	check_crowd(stage, (const char *const[]){"--cgroup", stage->group.path, NULL});
}

static void test_population_of_the_machine_costs_little(void **state)
{
	struct stage *stage = *state;

	start_crowd(stage, PROCESSES, ACTIVE);
	/* What else runs on the machine is not to be paid for by this test. */
	check_crowd(stage, (const char *const[]){"--all", "--comm", "target_crowd", NULL});
}

/*
 * At interval 1, so that each child has samples. What is left behind would be left by each batch of children, so also on the average of
 * several; what is held while many wait to be drained, as beside other work, is not. The first batch fills what has a limit.
 */
static void test_population_that_comes_and_goes_leaves_no_memory_behind(void **state)
{
	const char *order = format("fork %d %d", FORK_RATE, FORK_SECONDS);
	struct stage *stage = *state;
	uint64_t first_kb, after_kb, limit_kb;
	unsigned int batches = 1;

	start_crowd(stage, 1, 1);
	attach(stage, (const char *const[]){"-R", "1", "--cgroup", stage->group.path, NULL});
	dialogue_order(&crowd, order);
	first_kb = memory_kb(&stage->scene->session, "RssAnon");
	do {
		limit_kb = first_kb + batches * GROWTH_KB_MAX;
		dialogue_order(&crowd, order);
		after_kb = memory_await_below(&stage->scene->session, limit_kb);
		printf("RssAnon %lu KiB after %d forks, %lu KiB after %u times as many more\n", (unsigned long)first_kb,
		       FORK_RATE * FORK_SECONDS, (unsigned long)after_kb, batches);
	} while (++batches < BATCHES_MAX && after_kb >= limit_kb);
	detach(stage);
	assert_true(after_kb < limit_kb);
	assert_int_equal(population_count(&stage->scene->session, "target_crowd"), batches * FORK_RATE * FORK_SECONDS);
	population_assert_clean(&stage->scene->session);
}

/* Each program is a file of its own, which is gone at once: as long as heaptap keeps it open, it takes room on the disk. */
static void test_population_of_new_programs_keeps_few_files_open(void **state)
{
	struct stage *stage = *state;
	struct session *session = &stage->scene->session;
	unsigned int most = 0;

	start_crowd(stage, 1, 1);
	attach(stage, (const char *const[]){"-R", PROGRAMS_INTERVAL, "--keep", format("%d", PROGRAMS), "--cgroup",
					    stage->group.path, NULL});
	for (int i = 0; i < PROGRAMS / PROGRAMS_STEP; i++) {
		unsigned int open;

		dialogue_order(&crowd, format("build %d", PROGRAMS_STEP));
		/* Names are looked up in the files of a program until its profile has been made. */
		session_signal(session, SIGUSR1);
		session_await(session, format("profiles %04d written", i + 1));
		open = child_descriptors(session->child.pid);
		most = open > most ? open : most;
	}
	detach(stage);
	printf("%u descriptors at most, after %d programs\n", most, PROGRAMS);
	assert_true(most < DESCRIPTORS_MAX);
	assert_int_equal(population_count(session, "built"), PROGRAMS);
	population_assert_clean(session);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_population_of_a_group_costs_little),
		TEST(test_population_of_the_machine_costs_little),
		TEST(test_population_that_comes_and_goes_leaves_no_memory_behind),
		TEST(test_population_of_new_programs_keeps_few_files_open),
	};

	return cmocka_run_group_tests_name("population", tests, NULL, NULL);
}
