/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording of a running process is a window in time: it shows only what happened in it, and states its length; one that
 * spans both windows has the activity of both.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

#define OBJECTS 100

static void attach(struct scene *scene, struct session *session)
{
	session_start(
		session, scene,
		(const char *const[]){"-R", "1", "-f", "text,pprof", "-p", format("%d", scene->target.pid), NULL});
	session_attached(session);
}

/* What the window shows, in both formats: `inuse[i]` of the objects of sizes[i] are alive, and there are no others. */
static void check_window(const struct text_profile *profile, const char *const *functions, const uint64_t *sizes,
			 const uint64_t *inuse, unsigned int count)
{
	assert_int_equal(profile->count, count);
	for (unsigned int i = 0; i < count; i++) {
		const struct text_record *record = profile->records;

		while (record < profile->records + count && record->alloc_bytes != OBJECTS * sizes[i])
			record++;
		assert_true(record < profile->records + count && record->frame_count > 1);
		assert_string_equal(record->frames[0].function, functions[i]);
		assert_string_equal(record->frames[1].function, "main");
		assert_int_equal(record->alloc_objects, OBJECTS);
		assert_int_equal(record->inuse_objects, inuse[i]);
		assert_int_equal(record->inuse_bytes, inuse[i] * sizes[i]);
	}
}

/* Stop the recording, which cannot have lasted longer than since `began`. */
static void stop_and_check(struct session *session, uint64_t began, const char *const *functions, const uint64_t *sizes,
			   const uint64_t *inuse, unsigned int count)
{
	struct text_profile text, proto;
	const cJSON *process;
	cJSON *index;

	session_signal(session, SIGINT);
	assert_int_equal(session_finish(session), 0);
	index = session_index(session);
	process = index_process(index, "target_window");
	ledger_assert_clean(process);
	assert_int_equal(text_profile_read(index_file(session, process, ".txt"), &text), 0);
	assert_int_equal(pprof_profile_read(index_file(session, process, ".pb.gz"), &proto), 0);
	check_window(&text, functions, sizes, inuse, count);
	check_window(&proto, functions, sizes, inuse, count);
	assert_in_range(proto.duration_ns, 1, now_ns() - began);
	assert_in_range(index_number(index, "duration_ns"), 1, now_ns() - began);
	text_profile_release(&text);
	text_profile_release(&proto);
	cJSON_Delete(index);
}

static void test_window_shows_its_own_activity_and_no_other(void **state)
{
	static const char *const functions[] = {"allocate_first", "allocate_second"};
	static const uint64_t sizes[] = {2000, 3000}, all[] = {OBJECTS, OBJECTS}, after[] = {OBJECTS / 2, OBJECTS};
	struct scene *scene = *state;
	uint64_t began, began_both = now_ns();

	target_start(&scene->target, NULL, (const char *const[]){beside("target_window"), NULL});
	target_ready(&scene->target);
	attach(scene, &scene->second);
	for (unsigned int i = 0; i < 2; i++) {
		began = now_ns();
		attach(scene, &scene->session);
		target_go(&scene->target);
		target_ready(&scene->target);
		stop_and_check(&scene->session, began, functions + i, sizes + i, all + i, 1);
	}
	stop_and_check(&scene->second, began_both, functions, sizes, after, 2);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_window_shows_its_own_activity_and_no_other),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
