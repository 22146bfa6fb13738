/* SPDX-License-Identifier: GPL-2.0-or-later */
/* custom_allocator.c: what --alloc takes, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "probe/custom_allocator.h"

static struct custom_allocator *parsed(const char *text)
{
	struct custom_allocator *pool = NULL;

	if (custom_allocator_parse(text, &pool))
		fail_msg("'%s' is refused", text);
	return pool;
}

static void assert_function(const struct custom_allocator *pool, unsigned int number, const char *symbol,
			    enum call_kind kind, u8 one, u8 two)
{
	const struct allocator_function *function = &pool->functions[number];

	assert_ptr_equal(allocator_find(&pool->family, symbol), function);
	assert_int_equal(function->kind, kind);
	assert_int_equal(function->arg[0], one);
	assert_int_equal(function->arg[1], two);
	assert_int_equal(function->passing, PASSING_NO);
}

static void test_pool_functions_are_what_their_arguments_make_them(void **state)
{
	struct custom_allocator *pool =
		parsed("server:get(size=1)=ret,array(count=2,size=3)=ret,again(size=4,ptr=1)=ret,put(ptr=2)");

	(void)state;
	assert_int_equal(pool->family.function_count, 4);
	assert_function(pool, 0, "get", CALL_MALLOC, 1, 0);
	assert_function(pool, 1, "array", CALL_CALLOC, 2, 3);
	assert_function(pool, 2, "again", CALL_RESIZE, 1, 4);
	assert_function(pool, 3, "put", CALL_FREE, 2, 0);
	assert_null(allocator_find(&pool->family, "malloc"));
	custom_allocator_free(pool);
}

static void test_pool_file_without_a_slash_is_in_any_directory(void **state)
{
	struct custom_allocator *name = parsed("server:put(ptr=1)"), *path = parsed("/opt/a:b/server:put(ptr=1)");

	(void)state;
	assert_true(custom_allocator_is_in(name, "/opt/server"));
	assert_true(custom_allocator_is_in(name, "server"));
	assert_false(custom_allocator_is_in(name, "/opt/server2"));
	assert_false(custom_allocator_is_in(name, "/server/opt"));
	assert_true(custom_allocator_is_in(path, "/opt/a:b/server"));
	assert_false(custom_allocator_is_in(path, "/opt/server"));
	custom_allocator_free(name);
	custom_allocator_free(path);
}

static void test_pool_that_is_not_so_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"file",
		"file:",
		":get(size=1)=ret",
		"get(size=1)=ret",
		"file:get",
		"file:(size=1)=ret",
		"file:get()",
		"file:get(size=1)",
		"file:put(ptr=1)=ret",
		"file:get(size=0)=ret",
		"file:get(size=5)=ret",
		"file:get(size=12)=ret",
		"file:get(size=1,size=2)=ret",
		"file:get(count=1)=ret",
		"file:get(count=1,size=2,ptr=3)=ret",
		"file:get(bytes=1)=ret",
		"file:get(size=1)=retx",
		"file:get(size=1)=ret,",
		"file:get(size=1)=ret put(ptr=1)",
		"file:get(size=1",
		"file:get(size=",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct custom_allocator *pool = NULL;

		if (custom_allocator_parse(wrong[i], &pool) != -EINVAL)
			fail_msg("'%s' is not refused", wrong[i]);
	}
}

static void test_pool_of_more_functions_than_fit_is_refused(void **state)
{
	struct custom_allocator *pool = NULL;

	(void)state;
	assert_int_equal(
		custom_allocator_parse(
			"f:a(ptr=1),b(ptr=1),c(ptr=1),d(ptr=1),e(ptr=1),f(ptr=1),g(ptr=1),h(ptr=1),i(ptr=1)", &pool),
		-E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool_functions_are_what_their_arguments_make_them),
		cmocka_unit_test(test_pool_file_without_a_slash_is_in_any_directory),
		cmocka_unit_test(test_pool_that_is_not_so_is_refused),
		cmocka_unit_test(test_pool_of_more_functions_than_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
