/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs whose calls return in ways that a return leg of the kernel's does not survive: allocators of their own that throw
 * or switch stacks, and signal handlers on an alternate stack. They live on, and what was counted is right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

#define THROW_GOT  16
#define THROW_KEPT 12
#define SWITCHED   20

static const char *const rungs[] = {"session", "multi", "perf"};

#define THROWING "target_pool_throw:pool_get(size=1)=ret,pool_resize(ptr=1,size=2)=ret,pool_put(ptr=1)"

/* `argument` of the program, `option` of heaptap: NULL for none. */
static void record_so(struct scene *scene, const char *rung, const char *program, const char *argument,
		      const char *functions, const char *option)
{
	target_start(&scene->target, NULL, (const char *const[]){beside(program), argument, NULL});
	target_ready(&scene->target);
	scene->session.environment[0] = format("HEAPTAP_ATTACH=%s", rung);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-f", "text,pprof", "-p", format("%d", scene->target.pid),
					    functions ? "--alloc" : option, functions, option, NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
}

static void record(struct scene *scene, const char *rung, const char *program, const char *functions)
{
	record_so(scene, rung, program, NULL, functions, NULL);
}

static void tally(struct scene *scene, const char *program, struct tally *ret_tally)
{
	cJSON *index = session_index(&scene->session);
	const cJSON *process = index_process(index, program);
	struct text_profile text;

	ledger_assert_balanced(process);
	assert_int_equal(text_profile_read(index_file(&scene->session, process, ".txt"), &text), 0);
	text_profile_tally(&text, 0, 0, ret_tally);
	text_profile_release(&text);
	cJSON_Delete(index);
}

static void assert_objects(const struct tally *tally, uint64_t size, uint64_t allocated, uint64_t in_use)
{
	struct tally_row row = tally_of_size(tally, size);

	if (row.allocated != allocated || row.in_use != in_use)
		fail_msg("of size %lu: %lu allocated, %lu in use", (unsigned long)size, (unsigned long)row.allocated,
			 (unsigned long)row.in_use);
}

/* What could not be had is no object, and what could not be resized stays what it was. */
static void test_pool_that_throws_is_survived_and_exact(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < 3; i++) {
		struct tally found;

		record(scene, rungs[i], "target_pool_throw", THROWING);
		tally(scene, "target_pool_throw", &found);
		assert_objects(&found, 64, THROW_GOT, THROW_KEPT - 1);
		assert_objects(&found, 72, 1, 1);
		assert_objects(&found, 1000, 0, 0);
		tally_release(&found);
	}
}

/* It is not traced, and has its parent's breakpoints. */
static void test_pool_that_throws_in_an_untraced_child_is_survived(void **state)
{
	for (size_t i = 0; i < 3; i++)
		record_so(*state, rungs[i], "target_pool_throw", "child", THROWING, NULL);
}

static void test_pool_that_throws_in_a_followed_child_is_exact(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < 3; i++) {
		struct tally found;

		record_so(scene, rungs[i], "target_pool_throw", "child", THROWING, "--follow");
		tally(scene, "target_pool_throw", &found);
		assert_objects(&found, 64, THROW_GOT, THROW_KEPT - 1);
		tally_release(&found);
	}
}

static void test_pool_that_switches_stacks_is_survived_and_exact(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < 3; i++) {
		struct tally found;

		record(scene, rungs[i], "target_pool_switch",
		       "target_pool_switch:pool_get(size=1)=ret,pool_put(ptr=1)");
		tally(scene, "target_pool_switch", &found);
		assert_objects(&found, 64, SWITCHED, 0);
		assert_objects(&found, 96, 1, 1);
		tally_release(&found);
	}
}

/* Its returns cannot be found: said, and counted at the entry. */
static void test_pool_that_jumps_through_a_pointer_is_counted_at_its_entry(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < 3; i++) {
		struct tally found;
		cJSON *index;

		record(scene, rungs[i], "target_pool_switch",
		       "target_pool_switch:jump_get(size=1)=ret,pool_put(ptr=1)");
		session_assert_said(&scene->session, "where jump_get in");
		session_assert_said(&scene->session, "it jumps through a pointer");
		index = session_index(&scene->session);
		assert_int_equal(index_number(index_process(index, "target_pool_switch"), "ledger.entry_only"), 1);
		cJSON_Delete(index);
		tally(scene, "target_pool_switch", &found);
		assert_objects(&found, 96, 1, 0);
		tally_release(&found);
	}
}

/* Each call has a return leg at -R 1, so a handler nearly always finds one pending. */
static void test_handler_on_a_higher_stack_may_allocate(void **state)
{
	struct scene *scene = *state;
	cJSON *index;

	record(scene, "session", "target_altstack", NULL);
	index = session_index(&scene->session);
	ledger_assert_balanced(index_process(index, "target_altstack"));
	assert_true(index_number(index_process(index, "target_altstack"), "ledger.entry_only") > 0);
	cJSON_Delete(index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pool_that_throws_is_survived_and_exact),
		TEST(test_pool_that_throws_in_an_untraced_child_is_survived),
		TEST(test_pool_that_throws_in_a_followed_child_is_exact),
		TEST(test_pool_that_switches_stacks_is_survived_and_exact),
		TEST(test_pool_that_jumps_through_a_pointer_is_counted_at_its_entry),
		TEST(test_handler_on_a_higher_stack_may_allocate),
	};

	return cmocka_run_group_tests_name("return", tests, NULL, NULL);
}
