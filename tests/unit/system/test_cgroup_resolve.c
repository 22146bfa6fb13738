/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup_resolve.c and cgroup.c on groups and processes in a directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "host.h"
#include "system/cgroup_resolve.h"

#include "system/cgroup.h"

#define V2 "sys/fs/cgroup/unified"

static int setup(void **state)
{
	if (host_setup(state) || host_open(HOST_HYBRID))
		return -1;
	host_group(V2, "1\n");
	return 0;
}

static void assert_finds(const char *wanted, const char *path, unsigned int level)
{
	char directory[2 * PATH_MAX], *why = NULL;
	struct cgroup group;
	struct stat stat_buffer;

	assert_int_equal(cgroup_resolve(&host, wanted, &group, &why), 0);
	assert_null(why);
	assert_string_equal(group.path, path);
	snprintf(directory, sizeof(directory), "%s/" V2 "%s", host_root, strcmp(path, "/") ? path : "");
	assert_string_equal(group.directory, directory);
	assert_int_equal(stat(directory, &stat_buffer), 0);
	assert_int_equal(group.id, stat_buffer.st_ino);
	assert_int_equal(group.level, level);
	cgroup_release(&group);
}

static void assert_refuses(const char *wanted, int err, const char *words)
{
	struct cgroup group;
	char *why = NULL;

	assert_int_equal(cgroup_resolve(&host, wanted, &group, &why), err);
	assert_non_null(why);
	assert_non_null(strstr(why, wanted));
	assert_non_null(strstr(why, words));
	free(why);
}

static void test_cgroup_resolve_takes_a_path_of_the_hierarchy(void **state)
{
	(void)state;
	host_group(V2 "/a/b", "5\n");
	assert_finds("/a/b", "/a/b", 2);
	assert_finds("a/b", "/a/b", 2);
	assert_finds("./a//b/", "/a/b", 2);
	assert_finds("/", "/", 0);
}

static void test_cgroup_resolve_takes_a_directory(void **state)
{
	(void)state;
	host_group(V2 "/a/b", "5\n");
	assert_finds("/" V2 "/a/b/", "/a/b", 2);
	assert_finds("/" V2, "/", 0);
}

static void test_cgroup_resolve_processes_below_are_enough(void **state)
{
	(void)state;
	host_group(V2 "/a", "");
	host_group(V2 "/a/b/c", "5\n");
	assert_finds("a", "/a", 1);
}

static void test_cgroup_resolve_of_a_hidden_process_is_not_empty(void **state)
{
	(void)state;
	host_group(V2 "/a", "0\n");
	assert_finds("a", "/a", 1);
}

static void test_cgroup_resolve_of_nothing_is_not_found(void **state)
{
	(void)state;
	assert_refuses("nginx.service", -ENOENT, "/sys/fs/cgroup/unified");
	assert_refuses("/" V2 "/none", -ENOENT, "there is no cgroup");
	assert_refuses("/sys/fs/cgroup/memory/none", -ENOENT, "there is no cgroup");
	host_file(V2 "/file", "no directory");
	assert_refuses("file", -ENOENT, "there is no cgroup");
}

static void test_cgroup_resolve_of_an_empty_group_is_told_apart(void **state)
{
	(void)state;
	host_group(V2 "/a", "");
	host_group(V2 "/a/b", "");
	host_group("sys/fs/cgroup/memory/m", "");
	assert_refuses("a", -ENODATA, "no process");
	assert_refuses("/sys/fs/cgroup/memory/m", -ENODATA, "no process");
}

static void test_cgroup_resolve_refuses_ways_up_and_nothing(void **state)
{
	(void)state;
	host_group(V2 "/a", "5\n");
	assert_refuses("a/../a", -EINVAL, "'..'");
	assert_refuses("..", -EINVAL, "'..'");
	assert_refuses("", -EINVAL, "");
}

static void test_cgroup_resolve_of_version_1_is_the_group_of_its_processes(void **state)
{
	(void)state;
	host_group("sys/fs/cgroup/memory/m", "5\n");
	host_group("sys/fs/cgroup/memory/m/n", "6\n7\n");
	host_process(5, "4:memory:/m\n0::/docker/x\n");
	host_process(6, "4:memory:/m/n\n0::/docker/x\n");
	host_group(V2 "/docker/x", "5\n6\n");
	/* 7 has gone meanwhile. */
	assert_finds("/sys/fs/cgroup/memory/m", "/docker/x", 2);
	assert_finds("m", "/docker/x", 2);
	assert_finds("m/n", "/docker/x", 2);
}

static void test_cgroup_resolve_of_version_1_is_the_lowest_group_that_holds_all(void **state)
{
	(void)state;
	host_group("sys/fs/cgroup/memory/m", "5\n6\n");
	host_process(5, "0::/docker/x/init\n");
	host_process(6, "0::/docker/x/work\n");
	host_group(V2 "/docker/x/init", "5\n");
	assert_finds("m", "/docker/x", 2);
}

static void test_cgroup_resolve_of_version_1_spread_over_all_is_ambiguous(void **state)
{
	(void)state;
	host_group("sys/fs/cgroup/memory/m", "5\n6\n");
	host_process(5, "0::/docker/x\n");
	host_process(6, "0::/docker2/x\n");
	assert_refuses("m", -ENOTUNIQ, "several of version 2");
}

static void test_cgroup_resolve_of_version_1_alone_is_not_supported(void **state)
{
	(void)state;
	host_group("sys/fs/cgroup/memory/m", "5\n6\n");
	host_process(5, "4:memory:/m\n0::/\n");
	host_process(6, "4:memory:/m\n0::/\n");
	assert_refuses("m", -ENOTSUP, "none of version 2");
}

static void test_cgroup_resolve_follows_the_links_to_controllers(void **state)
{
	(void)state;
	host_group("sys/fs/cgroup/cpu,cpuacct/m", "5\n");
	host_process(5, "0::/a\n");
	host_group(V2 "/a", "5\n");
	assert_int_equal(symlink("cpu,cpuacct", "sys/fs/cgroup/cpu"), 0);
	assert_finds("/sys/fs/cgroup/cpu/m", "/a", 1);
	host_group("srv", "5\n");
	assert_refuses("/srv", -ENOENT, "there is no cgroup");
}

static void test_cgroup_resolve_below_a_part_of_the_hierarchy(void **state)
{
	struct cgroup group;
	char *why;

	(void)state;
	assert_int_equal(host_open("50 1 0:26 /top /mnt/part rw - cgroup2 cgroup2 rw\n"), 0);
	host_group("mnt/part/a", "5\n");
	assert_int_equal(cgroup_resolve(&host, "/mnt/part/a", &group, &why), 0);
	assert_string_equal(group.path, "/top/a");
	assert_int_equal(group.level, 1);
	cgroup_release(&group);
	assert_int_equal(cgroup_resolve(&host, "top/a", &group, &why), 0);
	assert_string_equal(group.path, "/top/a");
	cgroup_release(&group);
	assert_refuses("/a", -ENOENT, "there is no cgroup");
}

/* --- walking --------------------------------------------------------------------------------------------------------
 */
struct told {
	int pids[16];
	unsigned int count, stop_at;
};

static int tell(pid_t pid, void *arg)
{
	struct told *told = arg;

	assert_true(told->count < 16);
	told->pids[told->count++] = pid;
	return told->count == told->stop_at ? 42 : 0;
}

static void test_cgroup_for_each_process_goes_below_and_counts_the_hidden(void **state)
{
	struct told told = {0};
	unsigned int hidden;

	(void)state;
	host_group(V2 "/a", "5\n0\n");
	host_group(V2 "/a/b", "0\n6\n7\n");
	host_group(V2 "/a/b/c", "8\n");
	host_group(V2 "/ab", "9\n");
	assert_int_equal(mkdir(V2 "/a/without", 0755), 0);
	assert_int_equal(symlink("../ab", V2 "/a/link"), 0);
	assert_int_equal(cgroup_for_each_process(V2 "/a", tell, &told, &hidden), 0);
	assert_int_equal(told.count, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(told.pids[i], 5 + i);
	assert_int_equal(hidden, 2);
}

static void test_cgroup_for_each_process_stops_when_told(void **state)
{
	struct told told = {.stop_at = 2};

	(void)state;
	host_group(V2 "/a", "5\n6\n7\n");
	assert_int_equal(cgroup_for_each_process(V2 "/a", tell, &told, NULL), 42);
	assert_int_equal(told.count, 2);
}

static void test_cgroup_for_each_process_of_a_missing_group_is_an_error(void **state)
{
	struct told told = {0};

	(void)state;
	assert_int_equal(cgroup_for_each_process(V2 "/none", tell, &told, NULL), -ENOENT);
	assert_int_equal(told.count, 0);
}

static int remove_child(const char *directory, void *arg)
{
	unsigned int *count = arg;

	(void)directory;
	++*count;
	rmdir(V2 "/a/b");
	return 0;
}

static void test_cgroup_for_each_below_survives_a_removal_meanwhile(void **state)
{
	unsigned int count = 0;

	(void)state;
	host_parents(V2 "/a/b/");
	host_parents(V2 "/a/c/");
	assert_int_equal(cgroup_for_each_below(V2 "/a", remove_child, &count), 0);
	assert_int_equal(count, 2);
}

/* As after a restart: the path stays, the group is another, and may be empty still. */
static void test_cgroup_open_is_by_path_and_may_be_empty(void **state)
{
	struct cgroup group;

	(void)state;
	assert_int_equal(cgroup_open(&host, "/a", &group), -ENOENT);
	host_group(V2 "/a", "");
	assert_int_equal(cgroup_open(&host, "/a", &group), 0);
	assert_int_equal(cgroup_check(&group), -ENODATA);
	host_group(V2 "/a", "5\n");
	assert_int_equal(cgroup_check(&group), 0);
	assert_int_equal(remove(V2 "/a/cgroup.procs"), 0);
	assert_int_equal(rmdir(V2 "/a"), 0);
	assert_int_equal(cgroup_check(&group), -ENOENT);
	cgroup_release(&group);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cgroup_resolve_takes_a_path_of_the_hierarchy),
		TEST(test_cgroup_resolve_takes_a_directory),
		TEST(test_cgroup_resolve_processes_below_are_enough),
		TEST(test_cgroup_resolve_of_a_hidden_process_is_not_empty),
		TEST(test_cgroup_resolve_of_nothing_is_not_found),
		TEST(test_cgroup_resolve_of_an_empty_group_is_told_apart),
		TEST(test_cgroup_resolve_refuses_ways_up_and_nothing),
		TEST(test_cgroup_resolve_of_version_1_is_the_group_of_its_processes),
		TEST(test_cgroup_resolve_of_version_1_is_the_lowest_group_that_holds_all),
		TEST(test_cgroup_resolve_of_version_1_spread_over_all_is_ambiguous),
		TEST(test_cgroup_resolve_of_version_1_alone_is_not_supported),
		TEST(test_cgroup_resolve_follows_the_links_to_controllers),
		TEST(test_cgroup_resolve_below_a_part_of_the_hierarchy),
		TEST(test_cgroup_for_each_process_goes_below_and_counts_the_hidden),
		TEST(test_cgroup_for_each_process_stops_when_told),
		TEST(test_cgroup_for_each_process_of_a_missing_group_is_an_error),
		TEST(test_cgroup_for_each_below_survives_a_removal_meanwhile),
		TEST(test_cgroup_open_is_by_path_and_may_be_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
