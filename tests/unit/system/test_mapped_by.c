/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mapped_by.c on mappings in files, and on the test itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#include "system/mapped_by.h"
#include "system/address_map.h"
#include "system/proc_maps.h"

#define HEAP "55d0f0000000-55d0f0021000 rw-p 00000000 00:00 0                          [heap]\n"
#define LIBC(device)                                                                                                   \
	"7f0000000000-7f0000028000 r--p 00000000 " device " 1234                     /usr/lib/libc.so.6\n"             \
	"7f0000028000-7f0000180000 r-xp 00028000 " device " 1234                     /usr/lib/libc.so.6\n"
#define JEMALLOC "7f1000000000-7f1000100000 r-xp 00000000 08:01 77                       /usr/lib/libjemalloc.so.2\n"

static void process(int pid, const char *maps)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/maps", pid);
	host_file(path, "%s", maps);
}

static bool is_one(pid_t pid, void *arg)
{
	return pid == *(pid_t *)arg;
}

static bool is_another(pid_t pid, void *arg)
{
	return !is_one(pid, arg);
}

static struct mapped_by_count count(struct mapped_by_file *files, unsigned int file_count, pid_t ours)
{
	struct mapped_by_count result;

	assert_int_equal(mapped_by_count(host_root, files, file_count, is_one, &ours, &result), 0);
	return result;
}

static void test_bystander_others_that_map_the_code_are_counted_once(void **state)
{
	struct mapped_by_file files[] = {{.device = makedev(8, 1), .inode = 1234, .path = "/usr/lib/libc.so.6"},
					 {.device = makedev(8, 1), .inode = 77, .path = "/usr/lib/libjemalloc.so.2"}};
	struct mapped_by_count result;

	(void)state;
	process(5, HEAP LIBC("08:01"));
	process(6, HEAP LIBC("08:01") JEMALLOC JEMALLOC);
	process(7, JEMALLOC);
	process(8, HEAP);
	process(9, "");
	process(10, LIBC("08:02"));
	host_file("proc/meminfo", "%s", LIBC("08:01"));
	result = count(files, 2, 5);
	assert_int_equal(result.processes, 2);
	assert_int_equal(result.unread, 0);
	assert_int_equal(files[0].processes, 1);
	assert_int_equal(files[1].processes, 2);
	/* Counts begin anew. */
	result = count(files, 2, 9);
	assert_int_equal(result.processes, 3);
	assert_int_equal(files[0].processes, 2);
	assert_int_equal(files[1].processes, 2);
}

/* What is mapped to be read only has no breakpoints. */
static void test_bystander_a_reader_of_the_file_does_not_pay(void **state)
{
	struct mapped_by_file file = {.device = makedev(8, 1), .inode = 1234, .path = "/usr/lib/libc.so.6"};

	(void)state;
	process(5, "7f0000000000-7f0000028000 r--p 00000000 08:01 1234                     /usr/lib/libc.so.6\n");
	assert_int_equal(count(&file, 1, 0).processes, 0);
}

static void test_bystander_overlays_of_one_image_share_the_file(void **state)
{
	struct mapped_by_file file = {.device = makedev(0, 0x2b), .inode = 1234, .path = "/usr/lib/libc.so.6"};

	(void)state;
	process(5, LIBC("00:38"));
	process(6, "7f0000028000-7f0000180000 r-xp 00028000 00:38 1234                     /usr/lib/other.so\n");
	process(7, LIBC("08:01"));
	assert_int_equal(count(&file, 1, 0).processes, 1);
	file.path = NULL;
	assert_int_equal(count(&file, 1, 0).processes, 0);
}

/* Each tmpfs counts its inodes from the beginning, so those of two recordings have copies of one number under one path. */
static void test_bystander_path_on_a_tmpfs_tells_nothing(void **state)
{
	int memory = memfd_create("file", MFD_CLOEXEC), other = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	struct mapped_by_file file = mapped_by_file(memory, "/usr/lib/libc.so.6");
	struct stat stat;

	(void)state;
	assert_int_equal(fstat(memory, &stat), 0);
	assert_int_equal(file.device, stat.st_dev);
	assert_int_equal(file.inode, stat.st_ino);
	assert_null(file.path);
	assert_non_null(mapped_by_file(other, "/usr/lib/libc.so.6").path);
	assert_int_equal(mapped_by_file(-1, "/usr/lib/libc.so.6").inode, 0);
	close(memory);
	close(other);
}

static void test_bystander_broken_lines_are_passed_over(void **state)
{
	struct mapped_by_file file = {.device = makedev(8, 1), .inode = 1234, .path = "/usr/lib/libc.so.6"};

	(void)state;
	process(5, "garbage\n\n7f-\n" LIBC("08:01"));
	assert_int_equal(count(&file, 1, 0).processes, 1);
	assert_int_equal(count(NULL, 0, 0).processes, 0);
}

static void test_bystander_unreadable_processes_are_told_apart(void **state)
{
	struct mapped_by_file file = {.device = makedev(8, 1), .inode = 1234, .path = "/usr/lib/libc.so.6"};
	struct mapped_by_count result;

	(void)state;
	process(5, LIBC("08:01"));
	process(6, LIBC("08:01"));
	assert_int_equal(chmod("proc/6/maps", 0), 0);
	host_parents("proc/7/"); /* gone between two looks */
	host_read_all(false);
	result = count(&file, 1, 0);
	host_read_all(true);
	assert_int_equal(result.processes, 1);
	assert_int_equal(result.unread, 1);
}

static void test_bystander_without_proc_is_an_error(void **state)
{
	struct mapped_by_count result;
	pid_t none = 0;

	(void)state;
	assert_int_equal(mapped_by_count(host_root, NULL, 0, is_one, &none, &result), -ENOENT);
}

/* A process of which the mappings could not be opened for want of a descriptor may map the file. */
static void test_bystander_without_descriptors_is_an_error(void **state)
{
	int unused = open("/dev/null", O_RDONLY | O_CLOEXEC), ret;
	struct mapped_by_count result;
	struct rlimit limit, low;
	pid_t none = 0;

	(void)state;
	process(5, LIBC("08:01"));
	close(unused);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = (rlim_t)unused + 1; /* for the directory */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	ret = mapped_by_count(host_root, NULL, 0, is_one, &none, &result);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(ret, -EMFILE);
}

static int keep_own_code(struct mapping *mapping, void *arg)
{
	const u64 here = (uintptr_t)keep_own_code;

	if (here < mapping->start || here >= mapping->end)
		return 0;
	*(struct mapped_by_file *)arg = (struct mapped_by_file){
		.device = mapping->device, .inode = mapping->inode, .path = strdup(mapping->path)};
	return 1;
}

/* This program is mapped by itself, which is never counted, and by its child. Whatever else runs here is "ours". */
static void test_bystander_on_this_machine_is_the_child(void **state)
{
	pid_t child = fork(), self = getpid();
	struct mapped_by_count result;
	struct mapped_by_file file;

	(void)state;
	assert_true(child >= 0);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_int_equal(proc_maps_for_each(self, keep_own_code, &file), 1);
	assert_int_equal(mapped_by_count("", &file, 1, is_another, &child, &result), 0);
	assert_int_equal(file.processes, 1);
	assert_int_equal(result.processes, 1);
	assert_int_equal(mapped_by_count("", &file, 1, is_another, &self, &result), 0);
	assert_int_equal(result.processes, 0);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	free((char *)file.path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bystander_others_that_map_the_code_are_counted_once),
		TEST(test_bystander_a_reader_of_the_file_does_not_pay),
		TEST(test_bystander_overlays_of_one_image_share_the_file),
		TEST(test_bystander_path_on_a_tmpfs_tells_nothing),
		TEST(test_bystander_broken_lines_are_passed_over),
		TEST(test_bystander_unreadable_processes_are_told_apart),
		TEST(test_bystander_without_proc_is_an_error),
		TEST(test_bystander_without_descriptors_is_an_error),
		TEST(test_bystander_on_this_machine_is_the_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
