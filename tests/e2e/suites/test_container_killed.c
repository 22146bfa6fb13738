/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container that the OOM killer ends leaves a profile that says so, with all that was live and where it came from, every time. By hand:
 * HEAPTAP_KILLS=20 is how often.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/container.h"
#include "e2e/kit/text_profile.h"

#define MIB    (1ULL << 20)
#define LIMIT  64
#define LEAST  (LIMIT * 3 / 4)
#define KILLED (128 + SIGKILL)

static int kills(void)
{
	const char *text = getenv("HEAPTAP_KILLS");

	return text ? atoi(text) : 3;
}

static void record(struct harbour *harbour, const struct container *container)
{
	struct scene *scene = harbour->scene;

	session_start(&scene->session, scene, (const char *const[]){"-R", "1", "--container", container->name, NULL});
	session_attached(&scene->session);
}

/* More and more, until it is killed: then heaptap has nothing left to trace, and is told to stop. */
static void fill(struct harbour *harbour)
{
	struct scene *scene = harbour->scene;

	target_go(&scene->target);
	target_take_steps(&scene->target, "mmcm");
	assert_int_equal(write(scene->target.in, "g", 1), 1);
	assert_int_equal(target_finish(&scene->target), KILLED);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
}

/* The site that grew comes first. */
static void check_profile(const char *path)
{
	struct text_profile profile;
	const struct text_record *largest;

	assert_int_equal(pprof_profile_read(path, &profile), 0);
	assert_true(profile.count > 0);
	largest = profile.records;
	for (size_t i = 0; i < profile.count; i++)
		if (profile.records[i].inuse_bytes > largest->inuse_bytes)
			largest = &profile.records[i];
	assert_true(largest->frame_count > 0);
	assert_string_equal(largest->frames[0].function, "remember");
	assert_true(largest->inuse_bytes >= LEAST * MIB);
	text_profile_release(&profile);
}

static void check(const struct harbour *harbour)
{
	const struct session *session = &harbour->scene->session;
	cJSON *index = session_index(session);
	const cJSON *process = index_process(index, "target_filler");

	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(process, "oom_killed")));
	assert_int_equal(index_number(process, "exit_signal"), SIGKILL);
	assert_int_equal(index_number(process, "cgroup_memory.limit_bytes"), LIMIT * MIB);
	check_profile(index_file(session, process, ".pb.gz"));
	session_assert_said(session, "OOM kill");
	cJSON_Delete(index);
}

static void kill_again(struct harbour *harbour, const char *image)
{
	struct container *container = container_fill(harbour, image, format("%dm", LIMIT), &harbour->scene->target);

	record(harbour, container);
	fill(harbour);
	check(harbour);
}

static void test_container_killed_by_oom_leaves_all_that_was_live(void **state)
{
	for (int i = 0; i < kills(); i++) {
		if (i)
			assert_int_equal(harbour_setup(state), 0);
		kill_again(*state, i % 2 ? "musl" : "glibc");
		if (i + 1 < kills())
			assert_int_equal(harbour_teardown(state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_container_killed_by_oom_leaves_all_that_was_live, harbour_setup,
						harbour_teardown),
	};

	return cmocka_run_group_tests_name("container_killed", tests, images_setup, images_teardown);
}
