/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 30 000 bytes leaked once, by each function in turn: one object of exactly that size in use at the end, seen from
 * COMMAND's first malloc on; and nothing in use for a program that leaks nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

static void record_leak(struct scene *scene, const char *way, struct text_profile *ret_text)
{
	const char *const args[] = {"-R", "1", "-f", "text", "--", beside("target_leak"), way, NULL};
	cJSON *index;

	assert_int_equal(session_run(&scene->session, scene, args), 0);
	index = session_index(&scene->session);
	assert_int_equal(
		text_profile_read(index_file(&scene->session, index_process(index, "target_leak"), ".txt"), ret_text),
		0);
	cJSON_Delete(index);
}

static void check_leak(void **state, const char *way, uint64_t objects, uint64_t bytes)
{
	struct text_profile text;
	struct tally tally;

	record_leak(*state, way, &text);
	text_profile_tally(&text, 0, 0, &tally);
	assert_int_equal(text.inuse_objects, objects);
	assert_int_equal(text.inuse_bytes, bytes);
	assert_int_equal(tally_of_size(&tally, 30000).in_use, objects);
	assert_int_equal(tally_of_size(&tally, 30000).allocated, 100 + objects);
	assert_int_equal(tally_of_size(&tally, 3000).allocated, 200);
	assert_int_equal(tally_of_size(&tally, 2000).allocated, 100);
	tally_release(&tally);
	text_profile_release(&text);
}

#define LEAK(way)                                                                                                      \
	static void test_record_##way##_leaked_once_is_one_object(void **state)                                        \
	{                                                                                                              \
		check_leak(state, #way, 1, 30000);                                                                     \
	}
LEAK(malloc)
LEAK(calloc)
LEAK(realloc)
LEAK(reallocarray)
LEAK(posix_memalign)
LEAK(valloc)
LEAK(memalign)
LEAK(pvalloc)
LEAK(aligned_alloc)

static void test_record_no_leak_is_nothing_in_use(void **state)
{
	check_leak(state, "none", 0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_record_malloc_leaked_once_is_one_object),
		TEST(test_record_calloc_leaked_once_is_one_object),
		TEST(test_record_realloc_leaked_once_is_one_object),
		TEST(test_record_reallocarray_leaked_once_is_one_object),
		TEST(test_record_posix_memalign_leaked_once_is_one_object),
		TEST(test_record_valloc_leaked_once_is_one_object),
		TEST(test_record_memalign_leaked_once_is_one_object),
		TEST(test_record_pvalloc_leaked_once_is_one_object),
		TEST(test_record_aligned_alloc_leaked_once_is_one_object),
		TEST(test_record_no_leak_is_nothing_in_use),
	};

	return cmocka_run_group_tests_name("leaks", tests, NULL, NULL);
}
