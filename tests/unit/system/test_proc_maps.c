/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc_maps.c: a line of maps, the mappings of a process, and the files behind them, as /proc has them. */
#include "child_process.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "system/address_map.h"
#include "system/proc_maps.h"
#include "system/procfs.h"
#include "scratch.h"

/* --- a line --- */

static void assert_path(const char *line, const char *path, bool deleted)
{
	struct mapping mapping;

	assert_int_equal(proc_maps_parse(line, &mapping), 0);
	assert_string_equal(mapping.path, path);
	assert_int_equal(mapping.deleted, deleted);
	free(mapping.path);
}

static void test_proc_maps_parse_file_line_fills_every_field(void **state)
{
	struct mapping mapping;

	(void)state;
	assert_int_equal(proc_maps_parse("7f1c2e026000-7f1c2e17c000 r-xp 00026000 fe:1a 247498                     "
					 "/usr/lib/libc.so.6\n",
					 &mapping),
			 0);
	assert_int_equal(mapping.start, 0x7f1c2e026000);
	assert_int_equal(mapping.end, 0x7f1c2e17c000);
	assert_int_equal(mapping.file_offset, 0x26000);
	assert_int_equal(mapping.device, makedev(0xfe, 0x1a));
	assert_int_equal(mapping.inode, 247498);
	assert_string_equal(mapping.path, "/usr/lib/libc.so.6");
	assert_false(mapping.deleted);
	assert_int_equal(mapping.from_ns, 0);
	assert_int_equal(mapping.build_id_size, 0);
	assert_null(mapping.elf);
	free(mapping.path);
}

static void test_proc_maps_parse_odd_paths_are_kept_as_they_are(void **state)
{
	(void)state;
	assert_path("1000-2000 r-xp 0 00:01 7 /opt/my app/lib one.so\n", "/opt/my app/lib one.so", false);
	assert_path("1000-2000 r-xp 0 00:01 7 /opt/trailing \n", "/opt/trailing ", false);
	assert_path("1000-2000 r-xp 0 00:01 7 /opt/two\\012lines\\012\n", "/opt/two\nlines\n", false);
	assert_path("1000-2000 r-xp 0 00:01 7 /opt/back\\slash\\01\n", "/opt/back\\slash\\01", false);
	assert_path("1000-2000 r-xp 0 00:01 7 /opt/no newline at the end", "/opt/no newline at the end", false);
	assert_path("7ffd3000-7ffd5000 r-xp 00000000 00:00 0                          [vdso]\n", "[vdso]", false);
	assert_path("1000-2000 rwxp 00000000 00:00 0 \n", "//anon", false);
}

static void test_proc_maps_parse_deleted_file_is_marked_and_cut(void **state)
{
	(void)state;
	assert_path("1000-2000 r-xp 0 00:01 7 /usr/bin/old (deleted)\n", "/usr/bin/old", true);
	assert_path("1000-2000 r-xp 0 00:01 7 /a (deleted) b\n", "/a (deleted) b", false);
	assert_path("1000-2000 r-xs 0 00:01 7 /a (deleted) (deleted)\n", "/a (deleted)", true);
	assert_path("1000-2000 r-xs 0 00:01 7  (deleted)\n", "(deleted)", false);
}

static void test_proc_maps_parse_other_than_executable_is_passed_over(void **state)
{
	struct mapping mapping = {.start = 7};

	(void)state;
	assert_int_equal(proc_maps_parse("1000-2000 rw-p 00000000 00:00 0 [heap]\n", &mapping), -ENOENT);
	assert_int_equal(proc_maps_parse("1000-2000 r--p 00000000 fe:00 9 /usr/bin/x\n", &mapping), -ENOENT);
	assert_int_equal(mapping.start, 7);
}

static void test_proc_maps_parse_malformed_line_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"text",
		"1000",
		"1000-",
		"-2000 r-xp 0 00:01 7 /a",
		"2000-1000 r-xp 0 00:01 7 /a",
		"1000-1000 r-xp 0 00:01 7 /a",
		"1000 2000 r-xp 0 00:01 7 /a",
		" 1000-2000 r-xp 0 00:01 7 /a",
		"1000-10000000000000000 r-xp 0 00:01 7 /a",
		"0x1000-2000 r-xp 0 00:01 7 /a",
		"1000-2000 r-x",
		"1000-2000 r-xq 0 00:01 7 /a",
		"1000-2000 r-xpp 0 00:01 7 /a",
		"1000-2000 r-xp",
		"1000-2000 r-xp ",
		"1000-2000 r-xp 0 0001 7 /a",
		"1000-2000 r-xp 0 00:100000000 7 /a",
		"1000-2000 r-xp 0 00:01 7f /a",
		"1000-2000 r-xp 0 00:01 99999999999999999999 /a",
		"1000-2000 r-xp 0 00:01 7",
	};
	struct mapping mapping = {.start = 7};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (proc_maps_parse(lines[i], &mapping) != -EINVAL)
			fail_msg("accepted: \"%s\"", lines[i]);
	assert_int_equal(mapping.start, 7);
}

/* --- a process --- */

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

	assert_int_equal(proc_maps_for_each(getpid(), keep_own, &own), 42);
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

static void test_proc_maps_for_each_finds_own_code_and_stops_when_told(void **state)
{
	struct mapping own = own_mapping();
	char *exe = procfs_exe(getpid());

	(void)state;
	assert_string_equal(own.path, exe);
	free(own.path);
	free(exe);
}

static void test_proc_maps_open_is_the_mapped_file(void **state)
{
	struct mapping own = own_mapping();

	(void)state;
	assert_int_equal(inode_of(proc_maps_open(getpid(), &own)), inode_of(open("/proc/self/exe", O_RDONLY)));
	free(own.path);
}

/* No such mapping (any more): the name decides, but only for the very same file. */
static void test_proc_maps_open_gone_takes_the_name_if_it_is_the_same_file(void **state)
{
	struct mapping own = own_mapping();
	struct stat stat_buffer;

	(void)state;
	assert_int_equal(stat("/proc/self/exe", &stat_buffer), 0);
	own.start = 0x1000;
	own.end = 0x2000;
	own.inode = stat_buffer.st_ino;
	own.device = stat_buffer.st_dev;
	assert_int_equal(inode_of(proc_maps_open(getpid(), &own)), stat_buffer.st_ino);
	own.inode++;
	assert_int_equal(proc_maps_open(getpid(), &own), -ESTALE);
	own.inode--;
	own.device++;
	assert_int_equal(proc_maps_open(getpid(), &own), -ESTALE);
	free(own.path);
}

static void test_proc_maps_open_gone_and_no_such_name_is_an_error(void **state)
{
	struct mapping mapping = {.start = 0x1000, .end = 0x2000, .path = (char *)"/no/such/file"};

	(void)state;
	assert_int_equal(proc_maps_open(getpid(), &mapping), -ENOENT);
}

static void test_proc_maps_open_of_a_directory_by_name_is_refused(void **state)
{
	struct mapping mapping = {.start = 0x1000, .end = 0x2000, .path = (char *)"/"};
	struct stat stat_buffer;

	(void)state;
	assert_int_equal(stat("/", &stat_buffer), 0);
	mapping.inode = stat_buffer.st_ino;
	mapping.device = stat_buffer.st_dev;
	assert_int_equal(proc_maps_open(getpid(), &mapping), -ESTALE);
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
		cmocka_unit_test(test_proc_maps_parse_file_line_fills_every_field),
		cmocka_unit_test(test_proc_maps_parse_odd_paths_are_kept_as_they_are),
		cmocka_unit_test(test_proc_maps_parse_deleted_file_is_marked_and_cut),
		cmocka_unit_test(test_proc_maps_parse_other_than_executable_is_passed_over),
		cmocka_unit_test(test_proc_maps_parse_malformed_line_is_refused),
		cmocka_unit_test(test_proc_maps_for_each_finds_own_code_and_stops_when_told),
		cmocka_unit_test(test_proc_maps_open_is_the_mapped_file),
		cmocka_unit_test(test_proc_maps_open_gone_takes_the_name_if_it_is_the_same_file),
		cmocka_unit_test(test_proc_maps_open_gone_and_no_such_name_is_an_error),
		cmocka_unit_test(test_proc_maps_open_of_a_directory_by_name_is_refused),
		cmocka_unit_test(test_procfs_maps_code_of_programs_that_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
