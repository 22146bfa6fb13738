/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two thousand processes, two hundred of them allocating: heaptap needs little CPU time to trace them, and little memory and CPU
 * time while it does (how long it takes is measured by bench/population.sh). It does not grow while processes come and go, and does not keep the files of programs that ran once.
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

#define PROCESSES	  2000
#define ACTIVE		  200
#define ATTACH_CPU_MAX	  15 /* seconds; on an idle machine less than one */
#define MEMORY_KB_MAX	  (128 << 10)
#define CPU_SHARE_MAX	  0.05
#define WORK_SECONDS	  5
#define WORK_ROUNDS	  3
#define FORK_RATE	  100
#define FORK_SECONDS	  10
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

static double cpu_seconds(const struct session *session)
{
	FILE *file = fopen(format("/proc/%d/stat", session->child.pid), "re");
	unsigned long user = 0, system = 0;

	/* heaptap's name has no space in it */
	if (!file || fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
		fail_msg("heaptap is gone");
	fclose(file);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* heaptap's part of a core while the crowd works: of rounds until one is low enough, as what else the machine runs is traced too. */
static double least_share(struct stage *stage)
{
	const struct session *session = &stage->scene->session;
	double least = 1e9;

	for (int i = 0; i < WORK_ROUNDS && least >= CPU_SHARE_MAX; i++) {
		double cpu = cpu_seconds(session), share;
		uint64_t start = now_ns();

		dialogue_order(&crowd, format("work %d", WORK_SECONDS));
		share = (cpu_seconds(session) - cpu) / ((double)(now_ns() - start) / 1e9);
		least = share < least ? share : least;
	}
	return least;
}

static void check_crowd(struct stage *stage, const char *const *args)
{
	const struct session *session = &stage->scene->session;
	double attach_cpu, share;
	uint64_t kb;

	attach(stage, args);
	attach_cpu = cpu_seconds(session);
	share = least_share(stage);
	kb = memory_kb(session, "RssAnon");
	detach(stage);
	printf("RssAnon %lu KiB, %.1f %% of a core, %.2f s of CPU time to attach\n", (unsigned long)kb, 100 * share,
	       attach_cpu);
	assert_true(attach_cpu < ATTACH_CPU_MAX);
	assert_true(kb < MEMORY_KB_MAX);
	assert_true(share < CPU_SHARE_MAX);
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

/* The first half fills what has a limit; the second one finds it filled. At interval 1, so that each child has samples. */
static void test_population_that_comes_and_goes_leaves_no_memory_behind(void **state)
{
	const char *order = format("fork %d %d", FORK_RATE, FORK_SECONDS / 2);
	struct stage *stage = *state;
	uint64_t half_kb, end_kb;

	start_crowd(stage, 1, 1);
	attach(stage, (const char *const[]){"-R", "1", "--cgroup", stage->group.path, NULL});
	dialogue_order(&crowd, order);
	half_kb = memory_kb(&stage->scene->session, "RssAnon");
	dialogue_order(&crowd, order);
	end_kb = memory_await_below(&stage->scene->session, half_kb + GROWTH_KB_MAX);
	detach(stage);
	printf("RssAnon %lu KiB after %d forks, %lu KiB after twice as many\n", (unsigned long)half_kb,
	       FORK_RATE * FORK_SECONDS / 2, (unsigned long)end_kb);
	assert_true(end_kb < half_kb + GROWTH_KB_MAX);
	assert_int_equal(population_count(&stage->scene->session, "target_crowd"), FORK_RATE * FORK_SECONDS);
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
