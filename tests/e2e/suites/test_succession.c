/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What recording takes in memory. A process that execs again and again: each program has its files and its line, and
 * heaptap does not keep what it knew of them. A process of very many sites: they are written without a second copy.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/memory.h"
#include "e2e/kit/recording.h"

#define PROGRAMS      300
#define STEP	      100
#define SIZES	      300
#define GROWTH_KB_MAX (40 << 10) /* of 200 programs, each of which has half a MiB while it runs */

#define WRITE_SIZES  100000
#define WRITE_GROWTH 1.3 /* a profile of names and counts beside the heap */

/* Until the last profile of the process's image of that number has been written. */
static void await_written(const struct scene *scene, unsigned int image)
{
	const char *path = format("%s/%d.target_successi-%u.pb.gz", scene->session.output, scene->target.pid, image);
	uint64_t until_ns = deadline_ns();

	while (access(path, F_OK) && now_ns() < until_ns)
		usleep(10000);
	if (access(path, F_OK))
		fail_msg("%s is not there while heaptap records", path);
}

/* Every one with all of its blocks, in the order in which they ran. */
static void assert_programs(const struct scene *scene)
{
	cJSON *index = session_index(&scene->session);
	const cJSON *rows = cJSON_GetObjectItemCaseSensitive(index, "processes"), *row;
	uint64_t image = 0;

	assert_int_equal(cJSON_GetArraySize(rows), PROGRAMS + 1);
	cJSON_ArrayForEach (row, rows) {
		assert_int_equal(index_number(row, "image"), ++image);
		assert_int_equal(index_number(row, "ledger.lost_ring"), 0);
		assert_in_range(index_number(row, "inuse_objects"), SIZES, SIZES + 100);
		assert_int_equal(index_number(row, "ledger.sampled"),
				 index_number(row, "ledger.freed") + index_number(row, "ledger.ended"));
		assert_non_null(index_file(&scene->session, row, ".pb.gz"));
	}
	cJSON_Delete(index);
}

static void test_programs_that_a_process_execs_do_not_stay_in_memory(void **state)
{
	struct scene *scene = *state;
	uint64_t first_kb, last_kb;

	target_start(
		&scene->target, NULL,
		(const char *const[]){beside("target_succession"), format("%d", PROGRAMS), format("%d", STEP), NULL});
	target_ready(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	target_ready(&scene->target);
	await_written(scene, STEP);
	first_kb = memory_kb(&scene->session, "RssAnon");
	target_go(&scene->target);
	target_ready(&scene->target);
	target_go(&scene->target);
	target_ready(&scene->target);
	await_written(scene, PROGRAMS);
	last_kb = memory_await_below(&scene->session, first_kb + GROWTH_KB_MAX);
	printf("RssAnon %lu KiB after %d programs, %lu KiB after %d\n", (unsigned long)first_kb, STEP,
	       (unsigned long)last_kb, PROGRAMS);
	recording_end(scene);
	assert_true(last_kb < first_kb + GROWTH_KB_MAX);
	assert_programs(scene);
}

/* The profile requested first says that all events have been taken in; it is written without a copy as well. */
static void test_very_many_sites_are_written_without_a_second_copy(void **state)
{
	struct scene *scene = *state;
	uint64_t before_kb, most_kb;

	target_start(&scene->target, NULL,
		     (const char *const[]){beside("target_succession"), "0", "1", format("%d", WRITE_SIZES), NULL});
	target_ready(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-f", "pprof,json,folded,text", "-p",
					    format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	target_ready(&scene->target);
	session_signal(&scene->session, SIGUSR1);
	session_await(&scene->session, "profiles 0001 written");
	before_kb = memory_kb(&scene->session, "VmRSS");
	recording_end(scene);
	most_kb = (uint64_t)scene->session.child.usage.ru_maxrss;
	printf("VmRSS %lu KiB before the last profile, %lu KiB at most\n", (unsigned long)before_kb,
	       (unsigned long)most_kb);
	assert_true(before_kb > WRITE_SIZES);
	assert_true((double)most_kb < WRITE_GROWTH * (double)before_kb);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_programs_that_a_process_execs_do_not_stay_in_memory),
		TEST(test_very_many_sites_are_written_without_a_second_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
