/* SPDX-License-Identifier: GPL-2.0-or-later */
/* output_file.c: names, files that appear whole or not at all, the index. */
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/string_list.h"
#include "format/index_write.h"
#include "writer_scratch.h"

#define ALL_FORMATS (FORMAT_PPROF | FORMAT_TEXT | FORMAT_FOLDED | FORMAT_JSON)

/* Names in the directory, "." and ".." not counted. */
static unsigned int count_files(void)
{
	DIR *list = opendir(".");
	unsigned int count = 0;

	assert_non_null(list);
	while (readdir(list))
		count++;
	closedir(list);
	return count - 2;
}

/* --- names --- */

static void test_writer_write_all_formats_writes_and_lists_four_files(void **state)
{
	static const char *const names[] = {"4242.small.pb.gz", "4242.small.txt", "4242.small.folded",
					    "4242.small.json"};
	struct profile profile = golden_small();
	char **files, *text;

	(void)state;
	assert_int_equal(output_file_write(directory, &profile, ALL_FORMATS, "", &files), 0);
	for (int i = 0; i < 4; i++) {
		assert_string_equal(files[i], names[i]);
		assert_true(scratch_has(names[i]));
	}
	assert_null(files[4]);
	assert_int_equal(count_files(), 4);
	text = golden_read("4242.small.txt");
	assert_golden(text, "small.txt");
	free(text);
	text = golden_read("4242.small.folded");
	assert_golden(text, "small.folded");
	free(text);
	string_list_free(files);
}

static void test_writer_write_one_format_writes_one_file(void **state)
{
	struct profile profile = golden_small();
	char **files;

	(void)state;
	assert_int_equal(output_file_write(directory, &profile, FORMAT_TEXT, "", &files), 0);
	assert_string_equal(files[0], "4242.small.txt");
	assert_null(files[1]);
	assert_int_equal(count_files(), 1);
	string_list_free(files);
}

static void assert_name(const char *comm, u32 image, const char *folder, const char *name)
{
	struct profile profile = golden_empty();
	char **files;

	profile.comm = (char *)comm;
	profile.image = image;
	assert_int_equal(output_file_write(directory, &profile, FORMAT_FOLDED, folder, &files), 0);
	assert_string_equal(files[0], name);
	assert_true(scratch_has(name));
	string_list_free(files);
}

static void test_writer_write_image_and_folder_are_in_the_name(void **state)
{
	(void)state;
	assert_name("sh", 1, "", "7.sh.folded");
	assert_name("sh", 2, "", "7.sh-2.folded");
	assert_name("sh", 1, "merged/", "merged/7.sh.folded");
	assert_name("sh", 3, "snapshots/0042/", "snapshots/0042/7.sh-3.folded");
}

static void test_writer_write_comm_is_cleaned(void **state)
{
	char long_comm[301];

	(void)state;
	memset(long_comm, 'x', 300);
	long_comm[300] = '\0';
	assert_name("a/b c\n", 1, "", "7.a_b_c_.folded");
	assert_name("../../etc", 1, "", "7._._.._etc.folded");
	assert_name(".", 1, "", "7._.folded");
	assert_name("", 1, "", "7.unknown.folded");
	assert_name("\xc3\xa9-Z_9.", 1, "", "7.__-Z_9..folded");
	long_comm[64] = '\0';
	assert_name(long_comm, 1, "", "7.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.folded");
}

static void test_writer_write_alloc_only_folds_what_was_allocated(void **state)
{
	struct profile profile = golden_alloc_only();
	char **files, *text;

	(void)state;
	assert_int_equal(output_file_write(directory, &profile, FORMAT_FOLDED, "", &files), 0);
	text = golden_read(files[0]);
	assert_non_null(strstr(text, "build_list;make_node 2928611\n"));
	free(text);
	string_list_free(files);
}

/* --- whole or not at all --- */

static void test_writer_write_replaces_an_older_file(void **state)
{
	struct profile profile = golden_small();
	char **files, *text;

	(void)state;
	scratch_file("4242.small.txt", "old", 0644);
	assert_int_equal(output_file_write(directory, &profile, FORMAT_TEXT, "", &files), 0);
	text = golden_read("4242.small.txt");
	assert_golden(text, "small.txt");
	assert_int_equal(count_files(), 1);
	free(text);
	string_list_free(files);
}

/* A file size limit stands for the full disk: writes fail as they do there, without root. */
static void test_writer_write_failing_disk_keeps_the_older_file_and_no_other(void **state)
{
	struct profile profile = golden_small();
	struct rlimit before, tiny;
	char **files, *text;
	int err;

	(void)state;
	scratch_file("4242.small.txt", "old", 0644);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tiny = (struct rlimit){64, before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	err = output_file_write(directory, &profile, ALL_FORMATS, "", &files);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(err, -EFBIG);
	assert_null(files[0]);
	text = golden_read("4242.small.txt");
	assert_string_equal(text, "old");
	assert_int_equal(count_files(), 1);
	free(text);
	string_list_free(files);
}

/* One name that cannot be taken does not cost the other formats. */
static void test_writer_write_blocked_name_lists_the_others(void **state)
{
	struct profile profile = golden_small();
	char **files;

	(void)state;
	assert_int_equal(mkdirat(directory, "4242.small.pb.gz", 0777), 0);
	assert_int_equal(output_file_write(directory, &profile, FORMAT_PPROF | FORMAT_TEXT, "", &files), -EISDIR);
	assert_string_equal(files[0], "4242.small.txt");
	assert_null(files[1]);
	assert_int_equal(count_files(), 2);
	string_list_free(files);
}

/* Nor is a folder that leads elsewhere. */
static void test_writer_write_folder_is_not_a_planted_link(void **state)
{
	struct profile profile = golden_small();
	char **files;

	(void)state;
	assert_int_equal(symlinkat(".", directory, "merged"), 0);
	assert_int_equal(output_file_write(directory, &profile, FORMAT_TEXT, "merged/", &files), -ELOOP);
	assert_null(files[0]);
	assert_false(scratch_has("4242.small.txt"));
	assert_int_equal(count_files(), 1);
	string_list_free(files);
}

/* Who may read the files may find them, whatever the umask is. */
static void test_writer_write_folder_has_the_mode_of_the_directory(void **state)
{
	struct profile profile = golden_small();
	mode_t umask_before = umask(0077);
	struct stat status;
	char **files;

	(void)state;
	output_file_set_mode(0640);
	assert_int_equal(output_file_write(directory, &profile, FORMAT_TEXT, "snapshots/0001/", &files), 0);
	output_file_set_mode(OUTPUT_FILE_MODE);
	umask(umask_before);
	string_list_free(files);
	assert_int_equal(fstatat(directory, "snapshots/0001", &status, 0), 0);
	assert_int_equal(status.st_mode & 0777, 0750);
	assert_int_equal(fstatat(directory, "snapshots", &status, 0), 0);
	assert_int_equal(status.st_mode & 0777, 0750);
}

/* A folder that is there says nothing of the next one below it. */
static void test_writer_write_second_folder_has_the_same_mode(void **state)
{
	static const char *const folders[] = {"snapshots/0001/", "snapshots/0002/"};
	struct profile profile = golden_small();
	struct stat first, second;
	char **files;

	(void)state;
	output_file_set_mode(0640);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(output_file_write(directory, &profile, FORMAT_TEXT, folders[i], &files), 0);
		string_list_free(files);
	}
	output_file_set_mode(OUTPUT_FILE_MODE);
	assert_int_equal(fstatat(directory, folders[0], &first, 0), 0);
	assert_int_equal(fstatat(directory, folders[1], &second, 0), 0);
	assert_int_equal(first.st_mode & 0777, 0750);
	assert_int_equal(second.st_mode & 0777, 0750);
}

static void test_writer_write_planted_temporary_name_is_not_followed(void **state)
{
	struct profile profile = golden_small();
	char name[64], **files, *text;

	(void)state;
	scratch_file("victim", "precious", 0644);
	snprintf(name, sizeof(name), ".heaptap-%d-0.tmp", (int)getpid());
	assert_int_equal(symlinkat("victim", directory, name), 0);
	assert_int_equal(output_file_write(directory, &profile, FORMAT_TEXT, "", &files), 0);
	text = golden_read("victim");
	assert_string_equal(text, "precious");
	assert_true(scratch_has(name));
	free(text);
	string_list_free(files);
}

static void test_writer_abandon_drops_what_is_not_complete(void **state)
{
	struct output_file complete, files[2];

	(void)state;
	assert_int_equal(output_file_open(&complete, directory), 0);
	assert_int_equal(output_file_close(&complete, 0, "complete"), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(output_file_open(&files[i], directory), 0);
	output_file_abandon(directory);
	assert_int_equal(count_files(), 1);
	assert_true(scratch_has("complete"));
	for (int i = 0; i < 2; i++)
		fclose(files[i].out);
}

static void test_writer_write_bad_directory_fails_with_an_empty_list(void **state)
{
	struct profile profile = golden_small();
	char **files;

	(void)state;
	assert_int_equal(output_file_write(-1, &profile, FORMAT_TEXT, "", &files), -EBADF);
	assert_null(files[0]);
	string_list_free(files);
	string_list_free(NULL);
}

static mode_t mode_of(const char *name)
{
	struct stat status;

	assert_int_equal(fstatat(directory, name, &status, 0), 0);
	return status.st_mode & 07777;
}

static void test_writer_write_for_its_own_user_alone_unless_asked(void **state)
{
	struct profile profile = golden_small();
	mode_t umask_before = umask(0);
	char **files;

	(void)state;
	assert_int_equal(output_file_write(directory, &profile, FORMAT_TEXT, "", &files), 0);
	assert_int_equal(mode_of(files[0]), 0600);
	string_list_free(files);
	umask(077);
	output_file_set_mode(0644);
	assert_int_equal(output_file_write(directory, &profile, FORMAT_TEXT, "", &files), 0);
	assert_int_equal(mode_of(files[0]), 0644);
	string_list_free(files);
	output_file_set_mode(OUTPUT_FILE_MODE);
	umask(umask_before);
}

static void test_writer_index_is_written_whole(void **state)
{
	static const char *const options[] = {"-p", "1", NULL};
	struct recording recording = {.version = "0", .sample_bytes = 1, .attach = "multi", .options = options};
	struct profile profile = golden_small();
	struct index_entry entry = index_entry_of(&profile, NULL);
	char *text;

	(void)state;
	scratch_file("index.json", "old", 0644);
	assert_int_equal(index_write_file(directory, &recording, &entry, 1), 0);
	text = golden_read("index.json");
	assert_non_null(strstr(text, "\"attach\":\"multi\""));
	assert_non_null(strstr(text, "\"options\":[\"-p\",\"1\"]"));
	assert_string_equal(text + strlen(text) - 4, "]\n}\n");
	assert_int_equal(count_files(), 1);
	free(text);
	assert_int_equal(index_write_file(-1, &recording, &entry, 1), -EBADF);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_writer_write_all_formats_writes_and_lists_four_files),
		TEST(test_writer_write_one_format_writes_one_file),
		TEST(test_writer_write_image_and_folder_are_in_the_name),
		TEST(test_writer_write_comm_is_cleaned),
		TEST(test_writer_write_alloc_only_folds_what_was_allocated),
		TEST(test_writer_write_replaces_an_older_file),
		TEST(test_writer_write_failing_disk_keeps_the_older_file_and_no_other),
		TEST(test_writer_write_blocked_name_lists_the_others),
		TEST(test_writer_write_folder_is_not_a_planted_link),
		TEST(test_writer_write_folder_has_the_mode_of_the_directory),
		TEST(test_writer_write_second_folder_has_the_same_mode),
		TEST(test_writer_write_planted_temporary_name_is_not_followed),
		TEST(test_writer_abandon_drops_what_is_not_complete),
		TEST(test_writer_write_bad_directory_fails_with_an_empty_list),
		TEST(test_writer_write_for_its_own_user_alone_unless_asked),
		TEST(test_writer_index_is_written_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
