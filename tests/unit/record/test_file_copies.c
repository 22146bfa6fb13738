/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_copies.c, launch.c and what binaries.c does with copies, as far as that needs no privileges: a directory stands for the
 * tmpfs. tests/e2e/suites/test_stand_in.c tests the mounts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "binary/elf.h"
#include "record/launch.h"
#include "system/file_copies.h"
#include "probe/binaries.h"
#include "probe/loader_list.h"
#include "unit/system/scratch.h"

/* A set whose copies land in directory "copies"; freed by file_copies_free. */
static struct file_copies *set_here(void)
{
	struct file_copies *set = calloc(1, sizeof(*set));

	assert_non_null(set);
	assert_int_equal(mkdir("copies", 0700), 0);
	set->tree = open("copies", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(set->tree >= 0);
	return set;
}

static int open_original(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void test_add_copies_bytes_mode_and_times(void **state)
{
	const struct timespec times[2] = {{1000000000, 111}, {1100000000, 222}};
	struct file_copies *set = set_here();
	struct stat original, copy;
	char bytes[16] = "";
	int fd;

	(void)state;
	scratch_file("file", "some bytes", 06711);
	assert_int_equal(utimensat(AT_FDCWD, "file", times, 0), 0);
	fd = open_original("file");
	assert_int_equal(fstat(fd, &original), 0);
	assert_int_equal(file_copies_add(set, fd, NULL), 0);
	assert_int_equal(set->count, 1);
	assert_int_equal(fstat(set->files[0].fd, &copy), 0);
	assert_int_equal(copy.st_mode, original.st_mode);
	assert_int_equal(copy.st_uid, original.st_uid);
	assert_int_equal(copy.st_gid, original.st_gid);
	assert_int_equal(copy.st_mtim.tv_sec, 1100000000);
	assert_int_equal(copy.st_mtim.tv_nsec, 222);
	assert_int_equal(pread(set->files[0].fd, bytes, sizeof(bytes), 0), 10);
	assert_string_equal(bytes, "some bytes");
	assert_true(set->files[0].inode == original.st_ino && set->files[0].device == original.st_dev);
	assert_true(set->files[0].copy_inode == copy.st_ino && copy.st_ino != original.st_ino);
	close(fd);
	file_copies_free(set);
}

static void test_add_with_a_change_has_its_bytes_and_size(void **state)
{
	const struct file_edit edits[] = {{.offset = 5, .bytes = (const u8 *)"BYTES", .size = 5},
					  {.offset = 5000, .bytes = (const u8 *)"end", .size = 3}};
	const struct file_change change = {.edits = edits, .edit_count = 2, .size = 5004};
	const struct timespec times[2] = {{1000000000, 111}, {1100000000, 222}};
	struct file_copies *set = set_here();
	char bytes[5004], zeros[4990] = "";
	struct stat copy;
	int fd;

	(void)state;
	scratch_file("file", "some bytes", 04711);
	assert_int_equal(utimensat(AT_FDCWD, "file", times, 0), 0);
	fd = open_original("file");
	assert_int_equal(file_copies_add(set, fd, &change), 0);
	assert_int_equal(fstat(set->files[0].fd, &copy), 0);
	assert_int_equal(copy.st_size, 5004);
	assert_int_equal(copy.st_mode & 07777, 04711);
	assert_int_equal(copy.st_mtim.tv_sec, 1100000000);
	assert_int_equal(pread(set->files[0].fd, bytes, sizeof(bytes), 0), 5004);
	assert_memory_equal(bytes, "some BYTES", 10);
	assert_memory_equal(bytes + 10, zeros, 4990);
	assert_memory_equal(bytes + 5000, "end", 4);
	close(fd);
	file_copies_free(set);
}

/* Whatever name it was opened by, the copy goes where the file is. */
static void test_add_through_a_link_has_the_file_s_own_path(void **state)
{
	struct file_copies *set = set_here();
	char *own;
	int fd;

	(void)state;
	scratch_file("file", "text", 0644);
	assert_int_equal(symlink("file", "link"), 0);
	own = realpath("file", NULL);
	fd = open_original("link");
	assert_int_equal(file_copies_add(set, fd, NULL), 0);
	assert_string_equal(set->files[0].path, own);
	free(own);
	close(fd);
	file_copies_free(set);
}

static void test_add_refuses_what_is_no_file_and_what_is_too_much(void **state)
{
	struct file_copies *set = set_here();
	int fd = open_original(".");

	(void)state;
	assert_int_equal(file_copies_add(set, fd, NULL), -EINVAL);
	close(fd);
	scratch_file("file", "text", 0644);
	fd = open_original("file");
	for (int i = 0; i < FILE_COPIES_MAX; i++)
		assert_int_equal(file_copies_add(set, fd, NULL), 0);
	assert_int_equal(file_copies_add(set, fd, NULL), -ENOSPC);
	assert_int_equal(set->count, FILE_COPIES_MAX);
	close(fd);
	file_copies_free(set);
	file_copies_free(NULL);
}

static void test_add_beyond_what_may_be_written_is_refused(void **state)
{
	const struct file_change grown = {.size = 5};
	struct file_copies *set = set_here();
	struct rlimit before, limit;
	int fd;

	(void)state;
	scratch_file("file", "text", 0644);
	fd = open_original("file");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(file_copies_add(set, fd, NULL), -EFBIG);
	limit.rlim_cur = 4;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(file_copies_add(set, fd, &grown), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(file_copies_add(set, fd, NULL), 0);
	close(fd);
	file_copies_free(set);
}

static struct binary *allocator_of(struct binaries *binaries)
{
	struct binary *file = binaries_files(binaries);

	while (file && !file->plan)
		file = file->next;
	assert_non_null(file);
	return file;
}

static void test_target_stands_in_copy_under_the_name_of_the_original(void **state)
{
	struct binaries *binaries = binaries_new(NULL, false);
	struct file_copies *set = set_here();
	struct binary *file, *original;
	const struct plan *plan;

	(void)state;
	assert_int_equal(loader_list_open(binaries, "/bin/sh"), 0);
	file = allocator_of(binaries);
	plan = file->plan;
	assert_int_equal(file_copies_add(set, elf_fd(file->elf), NULL), 0);
	assert_int_equal(set->count, 1);
	assert_int_equal(binaries_file_copy(binaries, set), 0);
	assert_ptr_equal(allocator_of(binaries), file);
	assert_ptr_equal(file->plan, plan);
	assert_true(elf_inode(file->elf) == set->files[0].copy_inode);
	assert_true(elf_device(file->elf) == set->files[0].copy_device);
	assert_string_equal(elf_path(file->elf), set->files[0].path);
	/* A process maps the original all the same. */
	assert_int_equal(binaries_open_path(binaries, set->files[0].path, &original), 0);
	assert_ptr_not_equal(original, file);
	assert_non_null(original->plan);
	assert_int_not_equal(original->allocator, file->allocator);
	/* The descriptor is the target's own. */
	file_copies_free(set);
	assert_int_not_equal(fcntl(elf_fd(file->elf), F_GETFD), -1);
	binaries_free(binaries);
}

static void test_target_stand_in_of_an_unknown_original_is_refused(void **state)
{
	struct binaries *binaries = binaries_new(NULL, false);
	struct file_copies *set = set_here();
	int fd;

	(void)state;
	scratch_file("file", "text", 0644);
	fd = open_original("file");
	assert_int_equal(file_copies_add(set, fd, NULL), 0);
	assert_int_equal(binaries_file_copy(binaries, set), -ENOENT);
	close(fd);
	file_copies_free(set);
	binaries_free(binaries);
}

/* A directory is not a detached mount: entering such a set fails, with or without the rights for it. */
static void test_command_that_cannot_enter_is_reaped(void **state)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)": >ran", NULL};
	struct file_copies *set = set_here();
	struct workload workload;
	sigset_t none;

	(void)state;
	sigemptyset(&none);
	assert_true(workload_start(argv, (char *)"/bin/sh", &none, set, &workload) < 0);
	assert_int_equal(waitpid(workload.pid, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(access("ran", F_OK), -1);
	file_copies_free(set);
}

/* In a child that has no rights: 0 when all is as it should be, else the line. */
static int start_without_rights(void)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)"exit 9", NULL};
	struct file_copies *set = (void *)1;
	struct selection_options options = {.command = argv, .population = POPULATION_FOLLOW};
	struct selection selection = {.options = &options};
	struct launch launch = {0};
	sigset_t none;

	sigemptyset(&none);
	if (geteuid() == 0 && setresuid(65534, 65534, 65534))
		return __LINE__ % 256;
	if (file_copies_new(&set) != -EPERM || set)
		return __LINE__ % 256;
	if (launch_start(&selection, 1, &none, &launch))
		return __LINE__ % 256;
	if (launch.binaries || launch.copies || !strstr(launch.reason, "CAP_SYS_ADMIN"))
		return __LINE__ % 256;
	if (launch_release(&launch, NULL) || launch_status(&launch, STATUS_DONE) != 9)
		return __LINE__ % 256;
	return 0;
}

static void test_launch_without_rights_starts_command_and_says_why(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (!pid)
		_exit(start_without_rights());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_add_copies_bytes_mode_and_times),
		TEST(test_add_with_a_change_has_its_bytes_and_size),
		TEST(test_add_through_a_link_has_the_file_s_own_path),
		TEST(test_add_refuses_what_is_no_file_and_what_is_too_much),
		TEST(test_add_beyond_what_may_be_written_is_refused),
		TEST(test_target_stands_in_copy_under_the_name_of_the_original),
		TEST(test_target_stand_in_of_an_unknown_original_is_refused),
		TEST(test_command_that_cannot_enter_is_reaped),
		TEST(test_launch_without_rights_starts_command_and_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
