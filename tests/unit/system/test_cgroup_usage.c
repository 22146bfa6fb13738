/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup_usage.c on directories that look like the kernel's, of both versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/system/scratch.h"

#include "system/cgroup_usage.h"

static void put(const char *name, const char *text)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* Both versions say the same of this group. */
static void assert_usage(const char *path)
{
	struct cgroup_usage usage = cgroup_usage_read(scratch_path, path);

	assert_true(usage.known);
	assert_int_equal(usage.used, 1000);
	assert_int_equal(usage.limit, 0);
	assert_int_equal(usage.anon, 600);
	assert_int_equal(usage.file, 300);
	assert_int_equal(usage.kernel, 90);
	assert_int_equal(usage.sock, 10);
	assert_int_equal(usage.swap, 7);
}

static void test_cgroup_usage_of_version_2_has_the_rows_of_its_statistics(void **state)
{
	(void)state;
	assert_int_equal(mkdir("a", 0755), 0);
	put("a/memory.current", "1000\n");
	put("a/memory.max", "max\n");
	put("a/memory.swap.current", "7\n");
	put("a/memory.stat", "anon 600\nfile 300\nkernel 90\nkernel_stack 50\nsock 10\nfile_mapped 200\n");
	assert_usage("/a");
	put("a/memory.max", "2000\n");
	assert_int_equal(cgroup_usage_read(scratch_path, "/a").limit, 2000);
	/* Before Linux 5.18 */
	put("a/memory.stat",
	    "anon 600\nfile 300\nkernel_stack 50\npagetables 20\nslab 15\npercpu 5\nslab_reclaimable 8\n");
	assert_int_equal(cgroup_usage_read(scratch_path, "/a").kernel, 90);
}

static void test_cgroup_usage_of_version_1_has_the_rows_with_the_groups_below(void **state)
{
	(void)state;
	assert_int_equal(mkdir("b", 0755), 0);
	put("b/memory.usage_in_bytes", "1000\n");
	put("b/memory.limit_in_bytes", "9223372036854771712\n");
	put("b/memory.kmem.usage_in_bytes", "90\n");
	put("b/memory.kmem.tcp.usage_in_bytes", "10\n");
	put("b/memory.stat", "cache 1\nrss 2\nswap 3\ntotal_cache 300\ntotal_rss 600\ntotal_swap 7\n");
	assert_usage("/b");
	put("b/memory.limit_in_bytes", "4096\n");
	assert_int_equal(cgroup_usage_read(scratch_path, "/b").limit, 4096);
}

static void test_cgroup_usage_is_unknown_without_a_memory_controller(void **state)
{
	(void)state;
	assert_int_equal(mkdir("c", 0755), 0);
	assert_false(cgroup_usage_read(scratch_path, "/c").known);
	assert_false(cgroup_usage_read(scratch_path, "/none").known);
	put("c/memory.current", "no number\n");
	assert_false(cgroup_usage_read(scratch_path, "/c").known);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cgroup_usage_of_version_2_has_the_rows_of_its_statistics),
		TEST(test_cgroup_usage_of_version_1_has_the_rows_with_the_groups_below),
		TEST(test_cgroup_usage_is_unknown_without_a_memory_controller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
