/* SPDX-License-Identifier: GPL-2.0-or-later */
/* procfs.c: the mappings of a process, and the files behind them, as /proc has them. */
#include "child_process.h"

#include <errno.h>

#include "system/address_map.h"
#include "system/procfs.h"
#include "scratch.h"

/* Keeps the mapping that holds this function, which is the program's own. */
static int keep_own(struct mapping *mapping, void *arg)
{
	struct mapping *own = arg;
	u64 here = (u64)(uintptr_t)&keep_own;

	if (here < mapping->start || here >= mapping->end)
		return 0;
	*own = *mapping;
	own->path = strdup(mapping->path);
	return 42;
}

static struct mapping own_mapping(void)
{
	struct mapping own = {0};

	assert_int_equal(procfs_for_each_mapping(getpid(), keep_own, &own), 42);
	return own;
}

static ino_t inode_of(int fd)
{
	struct stat stat;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &stat), 0);
	close(fd);
	return stat.st_ino;
}

static void test_procfs_for_each_mapping_finds_own_code_and_stops_when_told(void **state)
{
	struct mapping own = own_mapping();
	char *exe = procfs_exe(getpid());

	(void)state;
	assert_string_equal(own.path, exe);
	free(own.path);
	free(exe);
}

static void test_procfs_open_mapping_is_the_mapped_file(void **state)
{
	struct mapping own = own_mapping();

	(void)state;
	assert_int_equal(inode_of(procfs_open_mapping(getpid(), &own)), inode_of(open("/proc/self/exe", O_RDONLY)));
	free(own.path);
}

/* No such mapping (any more): the name decides, but only for the very same file. */
static void test_procfs_open_mapping_gone_takes_the_name_if_it_is_the_same_file(void **state)
{
	struct mapping own = own_mapping();
	struct stat stat_buffer;

	(void)state;
	assert_int_equal(stat("/proc/self/exe", &stat_buffer), 0);
	own.start = 0x1000;
	own.end = 0x2000;
	own.inode = stat_buffer.st_ino;
	own.device = stat_buffer.st_dev;
	assert_int_equal(inode_of(procfs_open_mapping(getpid(), &own)), stat_buffer.st_ino);
	own.inode++;
	assert_int_equal(procfs_open_mapping(getpid(), &own), -ESTALE);
	own.inode--;
	own.device++;
	assert_int_equal(procfs_open_mapping(getpid(), &own), -ESTALE);
	free(own.path);
}

static void test_procfs_open_mapping_gone_and_no_such_name_is_an_error(void **state)
{
	struct mapping mapping = {.start = 0x1000, .end = 0x2000, .path = (char *)"/no/such/file"};

	(void)state;
	assert_int_equal(procfs_open_mapping(getpid(), &mapping), -ENOENT);
}

static void test_procfs_open_mapping_of_a_directory_by_name_is_refused(void **state)
{
	struct mapping mapping = {.start = 0x1000, .end = 0x2000, .path = (char *)"/"};
	struct stat stat_buffer;

	(void)state;
	assert_int_equal(stat("/", &stat_buffer), 0);
	mapping.inode = stat_buffer.st_ino;
	mapping.device = stat_buffer.st_dev;
	assert_int_equal(procfs_open_mapping(getpid(), &mapping), -ESTALE);
}

static void test_procfs_maps_code_of_programs_that_run(void **state)
{
	pid_t ended = zombie_child();

	(void)state;
	assert_true(procfs_maps_code(getpid()));
	assert_false(procfs_maps_code(ended));
	end_child(ended);
	assert_false(procfs_maps_code(ended));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_procfs_for_each_mapping_finds_own_code_and_stops_when_told),
		cmocka_unit_test(test_procfs_open_mapping_is_the_mapped_file),
		cmocka_unit_test(test_procfs_open_mapping_gone_takes_the_name_if_it_is_the_same_file),
		cmocka_unit_test(test_procfs_open_mapping_gone_and_no_such_name_is_an_error),
		cmocka_unit_test(test_procfs_open_mapping_of_a_directory_by_name_is_refused),
		cmocka_unit_test(test_procfs_maps_code_of_programs_that_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
