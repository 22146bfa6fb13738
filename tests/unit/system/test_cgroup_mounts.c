/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup_mounts.c on mounts and processes as hosts of each kind have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "host.h"

static void assert_directory(const char *group, const char *below)
{
	char *directory = cgroup_mounts_directory(&host, group);

	if (below) {
		assert_non_null(directory);
		assert_memory_equal(directory, host_root, strlen(host_root));
		assert_string_equal(directory + strlen(host_root), below);
	} else {
		assert_null(directory);
	}
	free(directory);
}

static void assert_group(int pid, const char *controller, const char *expected)
{
	char *group = cgroup_mounts_group(host.root, pid, controller);

	if (expected)
		assert_string_equal(group, expected);
	else
		assert_null(group);
	free(group);
}

static void test_hierarchy_of_an_ordinary_host(void **state)
{
	(void)state;
	assert_int_equal(host_open(HOST_ROOT HOST_V2), 0);
	assert_string_equal(host.v2.point, "/sys/fs/cgroup");
	assert_string_equal(host.v2.top, "");
	assert_int_equal(host.v1_count, 0);
	assert_directory("/a/b", "/sys/fs/cgroup/a/b");
	assert_directory("/", "/sys/fs/cgroup");
}

static void test_hierarchy_of_a_hybrid_host(void **state)
{
	(void)state;
	assert_int_equal(host_open(HOST_HYBRID), 0);
	assert_string_equal(host.v2.point, "/sys/fs/cgroup/unified");
	assert_int_equal(host.v1_count, 3);
	assert_string_equal(host.v1[1].point, "/sys/fs/cgroup/memory");
	assert_directory("/a", "/sys/fs/cgroup/unified/a");
}

static void test_hierarchy_without_version_2_is_not_supported(void **state)
{
	(void)state;
	assert_int_equal(host_open(HOST_ROOT HOST_V1), -ENOTSUP);
	assert_int_equal(host_open(""), -ENOTSUP);
}

static void test_hierarchy_without_mountinfo_is_its_error(void **state)
{
	(void)state;
	assert_int_equal(cgroup_mounts_open(host_root, &host), -ENOENT);
}

/* A line without the tag has no "-" of its own; a cut one has no type. */
static void test_hierarchy_broken_lines_are_passed_over(void **state)
{
	(void)state;
	assert_int_equal(host_open("garbage\n - cgroup2\n1 2 - cgroup2 x rw\n1 2 0:1 / /x rw -\n1 2 0:1 / /x rw - \n"
				   "1 2 0:1 / /v1 rw - cgroup\n\n" HOST_V2),
			 0);
	assert_string_equal(host.v2.point, "/sys/fs/cgroup");
	assert_int_equal(host.v1_count, 0);
}

static void test_hierarchy_whole_one_is_preferred_to_a_part(void **state)
{
	(void)state;
	assert_int_equal(host_open("50 1 0:26 /part /srv/part rw - cgroup2 cgroup2 rw\n" HOST_V2
				   "51 1 0:26 / /chroot/sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
			 0);
	assert_string_equal(host.v2.point, "/sys/fs/cgroup");
}

static void test_hierarchy_part_alone_holds_what_is_below(void **state)
{
	(void)state;
	assert_int_equal(host_open("50 1 0:26 /docker/x /mnt/with\\040blank rw - cgroup2 cgroup2 rw\n"), 0);
	assert_directory("/docker/x/y", "/mnt/with blank/y");
	assert_directory("/docker/x", "/mnt/with blank");
	assert_directory("/docker/xy", NULL);
	assert_directory("/", NULL);
}

static void test_hierarchy_group_is_told_by_hierarchy_and_controller(void **state)
{
	(void)state;
	assert_int_equal(host_open(HOST_HYBRID), 0);
	host_process(7, "9:name=systemd:/init.scope\n5:cpu,cpuacct:/c:p\n4:memory:/m\n0::/v2/a:b\n");
	assert_group(7, NULL, "/v2/a:b");
	assert_group(7, "memory", "/m");
	assert_group(7, "cpuacct", "/c:p");
	assert_group(7, "cpu", "/c:p");
	assert_group(7, "pids", NULL);
	assert_group(8, NULL, NULL);
}

static void test_hierarchy_group_of_strange_lines_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(host_open(HOST_HYBRID), 0);
	host_process(7, "0\n0:\n0::\n0::relative\n:::\n\n1::/named\n");
	assert_group(7, NULL, NULL);
}

static void assert_memory(int pid, const char *below, const char *path)
{
	char *directory, *found;

	assert_int_equal(cgroup_mounts_memory(&host, pid, &directory, &found), 0);
	assert_string_equal(directory + strlen(host_root), below);
	assert_string_equal(found, path);
	free(directory);
	free(found);
}

static void test_hierarchy_memory_is_that_of_the_controller(void **state)
{
	(void)state;
	host_process(7, "4:memory:/m/n\n0::/v2\n");
	assert_int_equal(host_open(HOST_HYBRID), 0);
	assert_memory(7, "/sys/fs/cgroup/memory", "/m/n");
	assert_int_equal(host_open(HOST_V2), 0);
	assert_memory(7, "/sys/fs/cgroup", "/v2");
}

static void test_hierarchy_memory_of_no_process_is_an_error(void **state)
{
	char *directory, *path;

	(void)state;
	assert_int_equal(host_open(HOST_V2), 0);
	assert_int_equal(cgroup_mounts_memory(&host, 7, &directory, &path), -ESRCH);
}

static void test_hierarchy_below_is_by_whole_components(void **state)
{
	(void)state;
	assert_string_equal(cgroup_mounts_below("/a", "/a/b"), "/b");
	assert_string_equal(cgroup_mounts_below("/a", "/a"), "");
	assert_string_equal(cgroup_mounts_below("", "/a"), "/a");
	assert_null(cgroup_mounts_below("/a", "/ab"));
	assert_null(cgroup_mounts_below("/a/b", "/a"));
}

static void test_hierarchy_group_is_the_path_of_the_unified_hierarchy(void **state)
{
	char *cgroup = cgroup_mounts_group("", getpid(), NULL), *line = NULL, *expected = NULL;
	FILE *file = fopen("/proc/self/cgroup", "re");
	size_t capacity = 0;

	(void)state;
	assert_non_null(file);
	while (getline(&line, &capacity, file) > 0)
		if (!strncmp(line, "0::", 3))
			expected = strdup(line + 3);
	fclose(file);
	free(line);
	if (expected) {
		expected[strcspn(expected, "\n")] = '\0';
		assert_string_equal(cgroup, expected);
	} else {
		assert_null(cgroup);
	}
	free(cgroup);
	free(expected);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hierarchy_of_an_ordinary_host),
		TEST(test_hierarchy_of_a_hybrid_host),
		TEST(test_hierarchy_without_version_2_is_not_supported),
		TEST(test_hierarchy_without_mountinfo_is_its_error),
		TEST(test_hierarchy_broken_lines_are_passed_over),
		TEST(test_hierarchy_whole_one_is_preferred_to_a_part),
		TEST(test_hierarchy_part_alone_holds_what_is_below),
		TEST(test_hierarchy_group_is_told_by_hierarchy_and_controller),
		cmocka_unit_test(test_hierarchy_group_is_the_path_of_the_unified_hierarchy),
		TEST(test_hierarchy_group_of_strange_lines_is_unknown),
		TEST(test_hierarchy_memory_is_that_of_the_controller),
		TEST(test_hierarchy_memory_of_no_process_is_an_error),
		TEST(test_hierarchy_below_is_by_whole_components),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
