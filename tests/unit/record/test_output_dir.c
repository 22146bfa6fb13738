/* SPDX-License-Identifier: GPL-2.0-or-later */
/* output_dir.c: the output directory in every state it can be found in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/resource.h>

#include "record/output_dir.h"
#include "unit/system/scratch.h"

static struct output_dir output;
static mode_t file_mode = 0600;

static int opened(const char *path, bool force)
{
	int err;

	memset(&output, 0xff, sizeof(output));
	err = output_dir_open(path, force, file_mode, &output);
	assert_true(err <= 0);
	return err;
}

static void test_output_open_new_directory_is_made(void **state)
{
	struct stat by_path, by_fd;

	(void)state;
	assert_int_equal(opened("new", false), 0);
	assert_string_equal(output.path, "new");
	assert_int_equal(stat("new", &by_path), 0);
	assert_int_equal(fstat(output.fd, &by_fd), 0);
	assert_true(S_ISDIR(by_path.st_mode) && by_path.st_ino == by_fd.st_ino);
	output_dir_close(&output);
	assert_int_equal(output.fd, -1);
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

/* Nobody else's, unless that is asked for: then whoever may read the files may enter, whatever the umask says. */
static void test_output_open_directory_is_for_those_who_may_read_the_files(void **state)
{
	static const mode_t modes[][2] = {{0600, 0700}, {0640, 0750}, {0644, 0755}, {0620, 0720}, {0666, 0777}};
	mode_t umask_before = umask(0);
	char name[16];

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		umask(i % 2 ? 077 : 0);
		snprintf(name, sizeof(name), "mode%zu", i);
		file_mode = modes[i][0];
		assert_int_equal(opened(name, false), 0);
		assert_int_equal(mode_of(name), modes[i][1]);
		output_dir_close(&output);
	}
	file_mode = 0600;
	assert_int_equal(chmod("mode0", 0711), 0);
	assert_int_equal(opened("mode0", false), 0);
	assert_int_equal(mode_of("mode0"), 0711);
	output_dir_close(&output);
	umask(umask_before);
}

static void test_output_open_empty_directory_is_taken(void **state)
{
	(void)state;
	assert_int_equal(mkdir("here", 0755), 0);
	assert_int_equal(opened("here", false), 0);
	output_dir_close(&output);
}

static void test_output_open_directory_with_anything_in_it_is_refused_without_force(void **state)
{
	(void)state;
	assert_int_equal(mkdir("full", 0755), 0);
	scratch_file("full/.hidden", "", 0644);
	assert_int_equal(opened("full", false), -ENOTEMPTY);
	assert_string_equal(output.path, "full");
	output_dir_close(&output);
	assert_int_equal(opened("full", true), 0);
	output_dir_close(&output);
	assert_int_equal(access("full/.hidden", F_OK), 0);
}

static void test_output_open_no_name_is_made_of_the_time(void **state)
{
	int length = 0;

	(void)state;
	assert_int_equal(opened(NULL, false), 0);
	assert_int_equal(sscanf(output.path, "heaptap-%*8[0-9]T%*6[0-9]Z%n", &length), 0);
	assert_int_equal(length, strlen(output.path));
	assert_int_equal(access(output.path, F_OK), 0);
	output_dir_close(&output);
}

static void test_output_open_file_of_that_name_is_an_error(void **state)
{
	(void)state;
	scratch_file("file", "text", 0644);
	assert_int_equal(opened("file", false), -ENOTDIR);
	assert_int_equal(opened("file", true), -ENOTDIR);
	output_dir_close(&output);
}

static void test_output_open_missing_parent_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(opened("missing/new", false), -ENOENT);
	assert_string_equal(output.path, "missing/new");
	output_dir_close(&output);
}

static void test_output_open_endless_name_is_an_error(void **state)
{
	static char name[PATH_MAX + 10];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(opened(name, false), -ENAMETOOLONG);
	assert_int_equal(strlen(output.path), PATH_MAX - 1);
	output_dir_close(&output);
}

static int checked(const char *path, bool force)
{
	return output_dir_check(path, force, &output);
}

/* What is made too early would stay behind when the start fails. */
static void test_output_check_makes_nothing_and_finds_every_mistake(void **state)
{
	static char endless[PATH_MAX + 10];

	(void)state;
	memset(endless, 'x', sizeof(endless) - 1);
	assert_int_equal(checked("new", false), 0);
	assert_string_equal(output.path, "new");
	assert_int_equal(access("new", F_OK), -1);
	assert_int_equal(checked(NULL, false), 0);
	assert_int_equal(access(output.path, F_OK), -1);
	assert_int_equal(checked("missing/new", false), -ENOENT);
	assert_int_equal(checked(endless, false), -ENAMETOOLONG);
	scratch_file("file", "text", 0644);
	assert_int_equal(checked("file", true), -ENOTDIR);
	assert_int_equal(checked("file/new", true), -ENOTDIR);
	assert_int_equal(mkdir("empty", 0755), 0);
	assert_int_equal(checked("empty/", false), 0);
	scratch_file("empty/file", "text", 0644);
	assert_int_equal(checked("empty", false), -ENOTEMPTY);
	assert_int_equal(checked("empty", true), 0);
}

/* Nor does a directory go that was there before. */
static void test_output_abandon_removes_what_was_made_and_is_empty(void **state)
{
	(void)state;
	assert_int_equal(opened("new", false), 0);
	output_dir_abandon(&output);
	output_dir_close(&output);
	assert_int_equal(access("new", F_OK), -1);
	assert_int_equal(mkdir("old", 0755), 0);
	assert_int_equal(opened("old", false), 0);
	output_dir_abandon(&output);
	output_dir_close(&output);
	assert_int_equal(access("old", F_OK), 0);
}

/* Without a descriptor it cannot be looked into, so it is not taken for empty. */
static void test_output_check_directory_that_cannot_be_read_is_not_empty(void **state)
{
	struct rlimit before, none;
	int err;

	(void)state;
	assert_int_equal(mkdir("full", 0700), 0);
	assert_int_equal(mkdir("full/of", 0700), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	err = output_dir_check("full", false, &output);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(err, -EMFILE);
	assert_int_equal(output_dir_check("full", false, &output), -ENOTEMPTY);
}

static void test_output_close_again_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(opened("new", false), 0);
	output_dir_close(&output);
	output_dir_close(&output);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_output_open_new_directory_is_made),
		TEST(test_output_open_directory_is_for_those_who_may_read_the_files),
		TEST(test_output_open_empty_directory_is_taken),
		TEST(test_output_open_directory_with_anything_in_it_is_refused_without_force),
		TEST(test_output_open_no_name_is_made_of_the_time),
		TEST(test_output_open_file_of_that_name_is_an_error),
		TEST(test_output_open_missing_parent_is_an_error),
		TEST(test_output_open_endless_name_is_an_error),
		TEST(test_output_check_makes_nothing_and_finds_every_mistake),
		TEST(test_output_check_directory_that_cannot_be_read_is_not_empty),
		TEST(test_output_abandon_removes_what_was_made_and_is_empty),
		TEST(test_output_close_again_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
