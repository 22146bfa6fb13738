/* SPDX-License-Identifier: GPL-2.0-or-later */
/* custom_allocator.c: what --alloc takes, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binary/elf.h"
#include "binary/elf_dynamic.h"
#include "probe/custom_allocator.h"
#include "system/address_map.h"
#include "system/proc_maps.h"

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

/* This test program, under another path. */
static bool is_in(const char *text, const char *path, const struct elf_dynamic *dynamic)
{
	struct custom_allocator *pool = parsed(text);
	struct elf *elf;
	bool in;

	assert_int_equal(elf_open(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), path, &elf), 0);
	in = custom_allocator_is_in(pool, elf, dynamic);
	elf_free(elf);
	custom_allocator_free(pool);
	return in;
}

static void test_pool_file_without_a_slash_is_in_any_directory(void **state)
{
	(void)state;
	assert_true(is_in("server:put(ptr=1)", "/opt/server", NULL));
	assert_true(is_in("server:put(ptr=1)", "server", NULL));
	assert_false(is_in("server:put(ptr=1)", "/opt/server2", NULL));
	assert_false(is_in("server:put(ptr=1)", "/server/opt", NULL));
	assert_true(is_in("/opt/a:b/server:put(ptr=1)", "/opt/a:b/server", NULL));
	assert_false(is_in("/opt/a:b/server:put(ptr=1)", "/opt/server", NULL));
}

static int open_named(struct mapping *mapping, void *arg)
{
	if (!mapping->path || !strstr(mapping->path, "/libcmocka.so"))
		return 0;
	snprintf(arg, PATH_MAX, "%s", mapping->path);
	return open(mapping->path, O_RDONLY | O_CLOEXEC);
}

/* A library is known by the name that its users have for it, which is not that of its file. */
static void test_pool_file_may_be_named_as_a_library(void **state)
{
	struct custom_allocator *soname = parsed("libcmocka.so.0:put(ptr=1)"),
				*other = parsed("libcmocka.so:put(ptr=1)");
	struct elf_dynamic *dynamic;
	struct elf *elf;
	char path[PATH_MAX];
	int fd = proc_maps_for_each(getpid(), open_named, path);

	(void)state;
	assert_true(fd > 0);
	assert_int_equal(elf_open(fd, path, &elf), 0);
	assert_int_equal(elf_dynamic_open(elf, &dynamic), 0);
	assert_null(strstr(path, "libcmocka.so.0/"));
	assert_true(custom_allocator_is_in(soname, elf, dynamic));
	assert_false(custom_allocator_is_in(soname, elf, NULL) && strcmp(strrchr(path, '/') + 1, "libcmocka.so.0"));
	assert_false(custom_allocator_is_in(other, elf, dynamic));
	elf_dynamic_free(dynamic);
	elf_free(elf);
	custom_allocator_free(soname);
	custom_allocator_free(other);
}

static void test_pool_path_may_lead_to_the_file_through_links(void **state)
{
	char directory[] = "/tmp/heaptap-pool-XXXXXX", real[PATH_MAX], link[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_true(readlink("/proc/self/exe", real, sizeof(real) - 1) > 0);
	real[readlink("/proc/self/exe", real, sizeof(real) - 1)] = '\0';
	snprintf(link, sizeof(link), "%s/link", directory);
	assert_int_equal(symlink(real, link), 0);
	assert_true(is_in(link, real, NULL));
	unlink(link);
	rmdir(directory);
	assert_false(is_in(link, real, NULL));
}

static void test_pool_may_be_a_file_alone(void **state)
{
	struct custom_allocator *pool = parsed("/opt/server");

	(void)state;
	assert_string_equal(pool->file, "/opt/server");
	assert_int_equal(pool->family.function_count, 0);
	custom_allocator_free(pool);
}

static void test_pool_that_is_not_so_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
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
		cmocka_unit_test(test_pool_file_may_be_named_as_a_library),
		cmocka_unit_test(test_pool_path_may_lead_to_the_file_through_links),
		cmocka_unit_test(test_pool_may_be_a_file_alone),
		cmocka_unit_test(test_pool_that_is_not_so_is_refused),
		cmocka_unit_test(test_pool_of_more_functions_than_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
