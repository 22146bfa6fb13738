/* SPDX-License-Identifier: GPL-2.0-or-later */
/* perf_map.c and root_fs.c: which perf map of a JIT compiler is trusted, and what its lines mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "unit/system/scratch.h"

#include "binary/perf_map.h"
#include "system/root_fs.h"

#define MAP_FILE "tmp/perf-7.map"

static struct root_fs root;

static int setup(void **state)
{
	if (scratch_setup(state) || mkdir("tmp", 0700))
		return -1;
	root = (struct root_fs){.fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), .inner_pid = 7, .uid = geteuid()};
	return root.fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	root_fs_close(&root);
	return scratch_teardown(state);
}

static struct perf_map *open_map(const char *text)
{
	struct perf_map *perfmap;
	const char *refused;

	scratch_file(MAP_FILE, text, 0644);
	assert_int_equal(perf_map_open(&root, &perfmap, &refused), 0);
	assert_null(refused);
	assert_non_null(perfmap);
	return perfmap;
}

static void assert_refused(const char *reason)
{
	struct perf_map *perfmap;
	const char *refused;

	assert_int_equal(perf_map_open(&root, &perfmap, &refused), 0);
	assert_null(perfmap);
	if (reason)
		assert_string_equal(refused, reason);
	else
		assert_null(refused);
}

static void assert_at(const struct perf_map *perfmap, u64 address, const char *name, u64 start)
{
	u64 found = 0;
	const char *own = perf_map_find(perfmap, address, &found);

	if (!name) {
		assert_null(own);
		return;
	}
	assert_non_null(own);
	assert_string_equal(own, name);
	assert_int_equal(found, start);
}

static void test_perf_map_finds_functions_by_their_bytes(void **state)
{
	struct perf_map *perfmap = open_map("1000 10 first\n2000 20 LazyCompile:~f /a b.js:1\n0x1010 8 next\n");

	(void)state;
	assert_at(perfmap, 0xfff, NULL, 0);
	assert_at(perfmap, 0x1000, "first", 0x1000);
	assert_at(perfmap, 0x100f, "first", 0x1000);
	assert_at(perfmap, 0x1010, "next", 0x1010);
	assert_at(perfmap, 0x1018, NULL, 0);
	assert_at(perfmap, 0x201f, "LazyCompile:~f /a b.js:1", 0x2000);
	assert_at(perfmap, UINT64_MAX, NULL, 0);
	perf_map_free(perfmap);
}

static void test_perf_map_later_line_overrules_where_they_overlap(void **state)
{
	struct perf_map *perfmap = open_map("1000 1000 old\n1800 100 new\n1880 10 newest\n1000 8 head\n1000 8 tail\n");

	(void)state;
	assert_at(perfmap, 0x1000, "tail", 0x1000);
	assert_at(perfmap, 0x1008, "old", 0x1000);
	assert_at(perfmap, 0x187f, "new", 0x1800);
	assert_at(perfmap, 0x1880, "newest", 0x1880);
	assert_at(perfmap, 0x1890, "new", 0x1800);
	assert_at(perfmap, 0x1900, "old", 0x1000);
	assert_at(perfmap, 0x2000, NULL, 0);
	perf_map_free(perfmap);
}

static void test_perf_map_passes_over_lines_that_are_none(void **state)
{
	struct perf_map *perfmap = open_map("\n1000\n1000 10\n1000 10 \nx 10 a\n-1 10 b\n1000 -5 c\n1000 0 d\n"
					    "ffffffffffffffff 10 e\n11111111111111111 1 f\n3000 10 good\n4000 10 cut");

	(void)state;
	assert_at(perfmap, 0x1000, NULL, 0);
	assert_at(perfmap, UINT64_MAX, NULL, 0);
	assert_at(perfmap, 0x3000, "good", 0x3000);
	assert_at(perfmap, 0x4000, NULL, 0);
	perf_map_free(perfmap);
}

static void test_perf_map_empty_names_nothing(void **state)
{
	struct perf_map *perfmap = open_map("");

	(void)state;
	assert_at(perfmap, 0, NULL, 0);
	assert_at(perfmap, 0x1000, NULL, 0);
	perf_map_free(perfmap);
}

/* A line around all others, as often as there are others: searched or painted naively, that never ends. */
static void test_perf_map_many_nested_functions_cost_no_more_than_others(void **state)
{
	struct perf_map *perfmap;
	FILE *file = fopen(MAP_FILE, "we");
	const char *refused;

	(void)state;
	for (unsigned int i = 0; i < 200000; i++)
		fprintf(file, "%x %x f%u\n", 0x100000 + i, 0x200000 - 2 * i, i);
	fclose(file);
	alarm(60);
	assert_int_equal(perf_map_open(&root, &perfmap, &refused), 0);
	for (unsigned int i = 0; i < 200000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", i);
		assert_at(perfmap, 0x100000 + i, name, 0x100000 + i);
	}
	alarm(0);
	perf_map_free(perfmap);
}

static void test_perf_map_absent_is_no_complaint(void **state)
{
	(void)state;
	assert_refused(NULL);
}

static void test_perf_map_of_another_user_is_refused(void **state)
{
	(void)state;
	scratch_file(MAP_FILE, "1000 10 f\n", 0644);
	root.uid = geteuid() + 1;
	assert_refused("it belongs to another user than the process");
}

static void test_perf_map_behind_a_link_is_refused(void **state)
{
	(void)state;
	scratch_file("map", "1000 10 f\n", 0644);
	assert_int_equal(symlink("../map", MAP_FILE), 0);
	assert_refused("it is, or lies behind, a symbolic link");
	assert_int_equal(unlink(MAP_FILE), 0);
	assert_int_equal(rename("tmp", "place"), 0);
	assert_int_equal(symlink("place", "tmp"), 0);
	scratch_file(MAP_FILE, "1000 10 f\n", 0644);
	assert_refused("it is, or lies behind, a symbolic link");
}

/* If the FIFO is opened, the test hangs and the alarm ends it. */
static void test_perf_map_that_is_no_regular_file_is_refused(void **state)
{
	(void)state;
	alarm(60);
	assert_int_equal(mkfifo(MAP_FILE, 0600), 0);
	assert_refused("it is no regular file");
	assert_int_equal(unlink(MAP_FILE), 0);
	assert_int_equal(mkdir(MAP_FILE, 0700), 0);
	assert_refused("it is no regular file");
	alarm(0);
}

static void test_perf_map_beyond_its_limits_is_refused(void **state)
{
	(void)state;
	scratch_file(MAP_FILE, "1000 10 f\n", 0644);
	assert_int_equal(truncate(MAP_FILE, (64 << 20) + 1), 0);
	assert_refused("it is over 64 MiB or has over 1048576 lines");
}

static void test_perf_map_without_a_root_is_none(void **state)
{
	int fd = root.fd;

	(void)state;
	root.fd = -1;
	assert_refused(NULL);
	root.fd = fd;
}

static void test_perf_map_of_a_process_that_could_not_be_looked_at_is_refused(void **state)
{
	pid_t inner = root.inner_pid;

	(void)state;
	root.inner_pid = 0;
	assert_refused("whose the process is could not be read");
	root.inner_pid = inner;
}

static void test_root_of_a_process_tells_its_user_and_finds_its_files(void **state)
{
	struct root_fs own;
	char path[PATH_MAX];
	int fd;

	(void)state;
	assert_int_equal(root_fs_open(getpid(), &own), 0);
	assert_int_equal(own.inner_pid, 0);
	root_fs_look(&own);
	assert_int_equal(own.uid, geteuid());
	assert_true(own.inner_pid > 0);
	scratch_file("file", "x", 0600);
	assert_non_null(realpath("file", path));
	fd = root_fs_open_file(&own, path, ROOT_LINKS_INSIDE, 1, NULL);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(root_fs_open_file(&own, path, ROOT_LINKS_INSIDE, 0, NULL), -EFBIG);
	root_fs_close(&own);
}

static void test_root_of_no_process_is_an_error(void **state)
{
	struct root_fs none;

	(void)state;
	assert_int_equal(root_fs_open(INT_MAX, &none), -ESRCH);
	assert_int_equal(none.fd, -1);
	root_fs_close(&none);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_perf_map_finds_functions_by_their_bytes),
		CASE(test_perf_map_later_line_overrules_where_they_overlap),
		CASE(test_perf_map_passes_over_lines_that_are_none),
		CASE(test_perf_map_empty_names_nothing),
		CASE(test_perf_map_many_nested_functions_cost_no_more_than_others),
		CASE(test_perf_map_absent_is_no_complaint),
		CASE(test_perf_map_of_another_user_is_refused),
		CASE(test_perf_map_behind_a_link_is_refused),
		CASE(test_perf_map_that_is_no_regular_file_is_refused),
		CASE(test_perf_map_beyond_its_limits_is_refused),
		CASE(test_perf_map_without_a_root_is_none),
		CASE(test_perf_map_of_a_process_that_could_not_be_looked_at_is_refused),
		CASE(test_root_of_a_process_tells_its_user_and_finds_its_files),
		CASE(test_root_of_no_process_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
