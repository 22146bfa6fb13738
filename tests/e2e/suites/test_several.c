/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several allocators in one process, one of them opened while it is traced, one described by the user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

#define OBJECTS 20
#define LEFT	5

static void assert_objects(const struct tally *tally, uint64_t size)
{
	struct tally_row row = tally_of_size(tally, size);

	if (row.allocated != OBJECTS || row.in_use != LEFT)
		fail_msg("of size %lu: %lu allocated, %lu in use", (unsigned long)size, (unsigned long)row.allocated,
			 (unsigned long)row.in_use);
}

static void check(struct scene *scene, const char *rung)
{
	struct text_profile text;
	const cJSON *process;
	struct tally tally;
	cJSON *index;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_several"), NULL});
	target_ready(&scene->target);
	scene->session.environment[0] = format("HEAPTAP_ATTACH=%s", rung);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-f", "text,pprof", "-p", format("%d", scene->target.pid),
					    "--alloc", "target_several:pool_get(size=2)=ret,pool_put(ptr=2)", NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	target_ready(&scene->target);
	session_await(&scene->session, "its allocations are seen from now on");
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	process = index_process(index, "target_several");
	ledger_assert_clean(process);
	assert_int_equal(text_profile_read(index_file(&scene->session, process, ".txt"), &text), 0);
	text_profile_tally(&text, 0, 0, &tally);
	assert_objects(&tally, 7001);
	assert_objects(&tally, 7003);
	assert_objects(&tally, 7005);
	assert_objects(&tally, 7006);
	assert_objects(&tally, 7007);
	tally_release(&tally);
	text_profile_release(&text);
	cJSON_Delete(index);
}

static void test_several_allocators_by_session_have_their_own_objects(void **state)
{
	check(*state, "session");
}

static void test_several_allocators_by_multi_have_their_own_objects(void **state)
{
	check(*state, "multi");
}

static void test_several_allocators_by_perf_have_their_own_objects(void **state)
{
	check(*state, "perf");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_several_allocators_by_session_have_their_own_objects),
		TEST(test_several_allocators_by_multi_have_their_own_objects),
		TEST(test_several_allocators_by_perf_have_their_own_objects),
	};

	return cmocka_run_group_tests_name("several", tests, NULL, NULL);
}
