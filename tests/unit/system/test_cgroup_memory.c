/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup.c's memory limits on directories that look like the kernel's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "system/cgroup.h"
#include "system/cgroup_limit.h"

static char root[64];

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static void group(const char *path, const char *max, const char *current)
{
	run("mkdir -p %s%s && echo %s >%s%s/memory.max && echo %s >%s%s/memory.current", root, path, max, root, path,
	    current, root, path);
}

static int setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/heaptap-cgroup-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	run("rm -rf %s", root);
	return 0;
}

static void assert_memory(const char *path, u64 limit, u64 used)
{
	u64 found_limit = 1, found_used = 1;

	cgroup_memory(root, path, &found_limit, &found_used);
	assert_int_equal(found_limit, limit);
	assert_int_equal(found_used, used);
}

static void test_cgroup_limit_of_the_group_itself(void **state)
{
	(void)state;
	group("/a", "1000", "300");
	assert_memory("/a", 1000, 300);
}

static void test_cgroup_group_with_least_room_counts(void **state)
{
	(void)state;
	group("/a", "1000", "900");
	group("/a/b", "500", "100");
	group("/a/b/c", "max", "50");
	assert_memory("/a/b/c", 1000, 900);
	group("/a", "1000", "200");
	assert_memory("/a/b/c", 500, 100);
	group("/a/b", "500", "600");
	assert_memory("/a/b/c", 500, 600);
}

static void test_cgroup_without_a_limit_is_nothing(void **state)
{
	(void)state;
	group("/a", "max", "300");
	assert_memory("/a", 0, 0);
	assert_memory("/none", 0, 0);
	assert_memory("/", 0, 0);
	assert_memory("", 0, 0);
	assert_memory(NULL, 0, 0);
}

/* In a namespace of control groups the top is the container's. */
static void test_cgroup_limit_of_the_top_counts(void **state)
{
	(void)state;
	group("", "700", "100");
	group("/a", "max", "50");
	assert_memory("/a", 700, 100);
	assert_memory("/", 700, 100);
	assert_memory("", 700, 100);
}

static void group_v1(const char *path, const char *limit, const char *usage)
{
	run("mkdir -p %s%s && echo %s >%s%s/memory.limit_in_bytes && echo %s >%s%s/memory.usage_in_bytes", root, path,
	    limit, root, path, usage, root, path);
}

static void test_cgroup_limit_of_version_1_is_read_by_its_names(void **state)
{
	(void)state;
	group_v1("/a", "1000", "300");
	group_v1("/a/b", "9223372036854771712", "200");
	assert_memory("/a/b", 1000, 300);
	group_v1("/c", "9223372036854771712", "200");
	assert_memory("/c", 0, 0);
}

static void test_cgroup_path_out_of_the_tree_is_not_followed(void **state)
{
	(void)state;
	group("/a", "1000", "300");
	assert_memory("/b/../a", 0, 0);
	assert_memory("a", 0, 0);
}

#define SECOND_NS 1000000000ULL

static void assert_read(struct cgroup_limit *known, const char *path, u64 now_ns, u64 limit, u64 used)
{
	u64 found_limit = 1, found_used = 1;

	cgroup_limit_read(known, root, path, now_ns, &found_limit, &found_used);
	assert_int_equal(found_limit, limit);
	assert_int_equal(found_used, used);
}

static void test_cgroup_limit_is_read_again_when_it_is_old_or_the_group_another(void **state)
{
	struct cgroup_limit known = {0};

	(void)state;
	group("/a", "1000", "300");
	group("/b", "2000", "100");
	assert_read(&known, "/a", SECOND_NS, 1000, 300);
	group("/a", "1000", "400");
	assert_read(&known, "/a", SECOND_NS + CGROUP_LIMIT_NS - 1, 1000, 300);
	assert_read(&known, "/a", SECOND_NS + CGROUP_LIMIT_NS, 1000, 400);
	group("/a", "900", "500");
	assert_read(&known, "/b", SECOND_NS + CGROUP_LIMIT_NS, 2000, 100);
	assert_read(&known, "/a", SECOND_NS + CGROUP_LIMIT_NS, 900, 500);
	cgroup_limit_release(&known);
}

/* --- the size below which operator new does not fail, if the kernel overcommits, as nearly everywhere --- */

#define GIB (1u << 30)

static u32 without_strictness(u32 limit)
{
	FILE *file = fopen("/proc/sys/vm/overcommit_memory", "re");
	int policy = file ? getc(file) : '2';

	if (file)
		fclose(file);
	return policy == '2' ? 0 : limit;
}

static void test_cgroup_memory_new_max_without_a_cgroup_limit_is_a_gibibyte(void **state)
{
	(void)state;
	assert_int_equal(cgroup_memory_new_max(0, 0), without_strictness(GIB));
	assert_int_equal(cgroup_memory_new_max(8ULL * GIB, GIB), without_strictness(GIB));
}

static void test_cgroup_memory_new_max_is_what_the_cgroup_leaves(void **state)
{
	(void)state;
	assert_int_equal(cgroup_memory_new_max(GIB, GIB - 4096), without_strictness(4096));
	assert_int_equal(cgroup_memory_new_max(2ULL * GIB, GIB + 1), without_strictness(GIB - 1));
}

static void test_cgroup_memory_new_max_of_a_full_cgroup_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(cgroup_memory_new_max(GIB, GIB), 0);
	assert_int_equal(cgroup_memory_new_max(GIB, 2ULL * GIB), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cgroup_limit_of_the_group_itself),
		TEST(test_cgroup_group_with_least_room_counts),
		TEST(test_cgroup_without_a_limit_is_nothing),
		TEST(test_cgroup_limit_of_the_top_counts),
		TEST(test_cgroup_limit_of_version_1_is_read_by_its_names),
		TEST(test_cgroup_path_out_of_the_tree_is_not_followed),
		TEST(test_cgroup_limit_is_read_again_when_it_is_old_or_the_group_another),
		cmocka_unit_test(test_cgroup_memory_new_max_without_a_cgroup_limit_is_a_gibibyte),
		cmocka_unit_test(test_cgroup_memory_new_max_is_what_the_cgroup_leaves),
		cmocka_unit_test(test_cgroup_memory_new_max_of_a_full_cgroup_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
