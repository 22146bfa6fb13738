/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writer.c: names, files that appear whole or not at all, the index; and both readable formats given to the real
 * `go tool pprof`, whose absence is a failure.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "golden.h"
#include "../../user/weight.h"
#include "../../user/writer.h"

#define ALL_FORMATS (FORMAT_PPROF | FORMAT_TEXT | FORMAT_FOLDED | FORMAT_JSON)

struct directory {
	char path[64];
	int fd;
};

static int set_up(void **state)
{
	struct directory *dir = calloc(1, sizeof(*dir));
	const char *base = getenv("TMPDIR");

	assert_non_null(dir);
	snprintf(dir->path, sizeof(dir->path), "%s/heaptap-test-XXXXXX", base && strlen(base) < 32 ? base : P_tmpdir);
	assert_non_null(mkdtemp(dir->path));
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir->fd >= 0);
	*state = dir;
	return 0;
}

static int tear_down(void **state)
{
	struct directory *dir = *state;
	DIR *list = fdopendir(dir->fd);
	struct dirent *entry;

	assert_non_null(list);
	while ((entry = readdir(list)))
		if (unlinkat(dir->fd, entry->d_name, 0))
			unlinkat(dir->fd, entry->d_name, AT_REMOVEDIR);
	closedir(list);
	rmdir(dir->path);
	free(dir);
	return 0;
}

/* Names in the directory, "." and ".." not counted. */
static unsigned int count_files(const struct directory *dir)
{
	DIR *list = opendir(dir->path);
	unsigned int count = 0;

	assert_non_null(list);
	while (readdir(list))
		count++;
	closedir(list);
	return count - 2;
}

static bool exists(const struct directory *dir, const char *name)
{
	return !faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

static char *content(const struct directory *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir->path, name);
	return golden_read(path);
}

static void put(const struct directory *dir, const char *name, const char *text)
{
	int fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* --- names
 * -------------------------------------------------------------------------------------------------------------- */

static void test_writer_write_all_formats_writes_and_lists_four_files(void **state)
{
	static const char *const names[] = {"4242.small.pb.gz", "4242.small.txt", "4242.small.folded",
					    "4242.small.json"};
	const struct directory *dir = *state;
	struct profile profile = golden_small();
	char **files, *text;

	assert_int_equal(writer_write(dir->fd, &profile, ALL_FORMATS, 0, &files), 0);
	for (int i = 0; i < 4; i++) {
		assert_string_equal(files[i], names[i]);
		assert_true(exists(dir, names[i]));
	}
	assert_null(files[4]);
	assert_int_equal(count_files(dir), 4);
	text = content(dir, "4242.small.txt");
	assert_golden(text, "small.txt");
	free(text);
	text = content(dir, "4242.small.folded");
	assert_golden(text, "small.folded");
	free(text);
	writer_files_free(files);
}

static void test_writer_write_one_format_writes_one_file(void **state)
{
	const struct directory *dir = *state;
	struct profile profile = golden_small();
	char **files;

	assert_int_equal(writer_write(dir->fd, &profile, FORMAT_TEXT, 0, &files), 0);
	assert_string_equal(files[0], "4242.small.txt");
	assert_null(files[1]);
	assert_int_equal(count_files(dir), 1);
	writer_files_free(files);
}

static void assert_name(const struct directory *dir, const char *comm, u32 image, unsigned int seq, const char *name)
{
	struct profile profile = golden_empty();
	char **files;

	profile.comm = (char *)comm;
	profile.image = image;
	assert_int_equal(writer_write(dir->fd, &profile, FORMAT_FOLDED, seq, &files), 0);
	assert_string_equal(files[0], name);
	assert_true(exists(dir, name));
	writer_files_free(files);
}

static void test_writer_write_image_and_sequence_are_in_the_name(void **state)
{
	const struct directory *dir = *state;

	assert_name(dir, "sh", 1, 0, "7.sh.folded");
	assert_name(dir, "sh", 2, 0, "7.sh-2.folded");
	assert_name(dir, "sh", 1, 1, "7.sh.0001.folded");
	assert_name(dir, "sh", 3, 42, "7.sh-3.0042.folded");
	assert_name(dir, "sh", 1, 12345, "7.sh.12345.folded");
}

static void test_writer_write_comm_is_cleaned(void **state)
{
	const struct directory *dir = *state;
	char long_comm[301];

	memset(long_comm, 'x', 300);
	long_comm[300] = '\0';
	assert_name(dir, "a/b c\n", 1, 0, "7.a_b_c_.folded");
	assert_name(dir, "../../etc", 1, 0, "7._._.._etc.folded");
	assert_name(dir, ".", 1, 0, "7._.folded");
	assert_name(dir, "", 1, 0, "7.unknown.folded");
	assert_name(dir, "\xc3\xa9-Z_9.", 1, 0, "7.__-Z_9..folded");
	long_comm[64] = '\0';
	assert_name(dir, long_comm, 1, 0, "7.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.folded");
}

static void test_writer_write_alloc_only_folds_what_was_allocated(void **state)
{
	const struct directory *dir = *state;
	struct profile profile = golden_alloc_only();
	char **files, *text;

	assert_int_equal(writer_write(dir->fd, &profile, FORMAT_FOLDED, 0, &files), 0);
	text = content(dir, files[0]);
	assert_non_null(strstr(text, "build_list;make_node 2928611\n"));
	free(text);
	writer_files_free(files);
}

/* --- whole or not at all
 * ------------------------------------------------------------------------------------------------ */

static void test_writer_write_replaces_an_older_file(void **state)
{
	const struct directory *dir = *state;
	struct profile profile = golden_small();
	char **files, *text;

	put(dir, "4242.small.txt", "old");
	assert_int_equal(writer_write(dir->fd, &profile, FORMAT_TEXT, 0, &files), 0);
	text = content(dir, "4242.small.txt");
	assert_golden(text, "small.txt");
	assert_int_equal(count_files(dir), 1);
	free(text);
	writer_files_free(files);
}

/* A file size limit stands for the full disk: writes fail as they do there, without root. */
static void test_writer_write_failing_disk_keeps_the_older_file_and_no_other(void **state)
{
	const struct directory *dir = *state;
	struct profile profile = golden_small();
	struct rlimit before, tiny;
	char **files, *text;
	int err;

	put(dir, "4242.small.txt", "old");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tiny = (struct rlimit){64, before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	err = writer_write(dir->fd, &profile, ALL_FORMATS, 0, &files);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(err, -EFBIG);
	assert_null(files[0]);
	text = content(dir, "4242.small.txt");
	assert_string_equal(text, "old");
	assert_int_equal(count_files(dir), 1);
	free(text);
	writer_files_free(files);
}

/* One name that cannot be taken does not cost the other formats. */
static void test_writer_write_blocked_name_lists_the_others(void **state)
{
	const struct directory *dir = *state;
	struct profile profile = golden_small();
	char **files;

	assert_int_equal(mkdirat(dir->fd, "4242.small.pb.gz", 0777), 0);
	assert_int_equal(writer_write(dir->fd, &profile, FORMAT_PPROF | FORMAT_TEXT, 0, &files), -EISDIR);
	assert_string_equal(files[0], "4242.small.txt");
	assert_null(files[1]);
	assert_int_equal(count_files(dir), 2);
	writer_files_free(files);
}

static void test_writer_write_planted_temporary_name_is_not_followed(void **state)
{
	const struct directory *dir = *state;
	struct profile profile = golden_small();
	char name[64], **files, *text;

	put(dir, "victim", "precious");
	snprintf(name, sizeof(name), ".heaptap-%d-0.tmp", (int)getpid());
	assert_int_equal(symlinkat("victim", dir->fd, name), 0);
	assert_int_equal(writer_write(dir->fd, &profile, FORMAT_TEXT, 0, &files), 0);
	text = content(dir, "victim");
	assert_string_equal(text, "precious");
	assert_true(exists(dir, name));
	free(text);
	writer_files_free(files);
}

static void test_writer_write_bad_directory_fails_with_an_empty_list(void **state)
{
	struct profile profile = golden_small();
	char **files;

	(void)state;
	assert_int_equal(writer_write(-1, &profile, FORMAT_TEXT, 0, &files), -EBADF);
	assert_null(files[0]);
	writer_files_free(files);
	writer_files_free(NULL);
}

static void test_writer_index_is_written_whole(void **state)
{
	const struct directory *dir = *state;
	static const char *const options[] = {"-p", "1", NULL};
	struct recording recording = {.version = "0", .sample_bytes = 1, .attach = "multi", .options = options};
	struct profile profile = golden_small();
	struct index_entry entry = index_entry_of(&profile, NULL);
	char *text;

	put(dir, "index.json", "old");
	assert_int_equal(writer_index(dir->fd, &recording, &entry, 1), 0);
	text = content(dir, "index.json");
	assert_non_null(strstr(text, "\"attach\":\"multi\""));
	assert_non_null(strstr(text, "\"options\":[\"-p\",\"1\"]"));
	assert_string_equal(text + strlen(text) - 4, "]\n}\n");
	assert_int_equal(count_files(dir), 1);
	free(text);
	assert_int_equal(writer_index(-1, &recording, &entry, 1), -EBADF);
}

/* --- the real client
 * ---------------------------------------------------------------------------------------------------- */

static const char *const index_names[MEASURE_MAX] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};

/* What `go tool pprof -top` prints for one index of one file. */
static char *run_pprof(const struct directory *dir, const char *name, enum measure measure)
{
	char command[1024], *output = NULL;
	size_t room = 0;
	FILE *in;

	snprintf(command, sizeof(command), "go tool pprof -top -unit=B -sample_index=%s '%s/%s' 2>'%s/stderr'",
		 index_names[measure], dir->path, name, dir->path);
	in = popen(command, "re");
	assert_non_null(in);
	if (getdelim(&output, &room, '\0', in) < 0) {
		free(output);
		output = strdup("");
	}
	if (pclose(in)) {
		char *words = content(dir, "stderr");

		print_error("%s\n%s%s", command, output, words);
		free(words);
		fail();
	}
	return output;
}

/* "Showing nodes accounting for 1B, 50% of 2B total" */
static u64 total_of(const char *output)
{
	const char *line = strstr(output, "Showing nodes accounting for "), *total = line ? strstr(line, " of ") : NULL;

	if (!total) {
		print_error("no total in:\n%s", output);
		fail();
		return 0;
	}
	return strtoull(total + strlen(" of "), NULL, 10);
}

static bool says_type(const char *output, enum measure measure)
{
	char line[64];

	snprintf(line, sizeof(line), "Type: %s\n", index_names[measure]);
	return strstr(output, line) != NULL;
}

static void assert_total(const struct directory *dir, const char *name, enum measure measure, u64 expected)
{
	char *output = run_pprof(dir, name, measure);

	assert_true(says_type(output, measure));
	assert_int_equal(total_of(output), expected);
	free(output);
}

/* Its text reader drops objects of requested size 0. */
static void sum_without_size_zero(const struct profile *profile, u64 total[MEASURE_MAX])
{
	memset(total, 0, MEASURE_MAX * sizeof(*total));
	for (u32 i = 0; i < profile->sample_count; i++) {
		u64 value[MEASURE_MAX];

		profile_sample_values(profile, &profile->samples[i], value);
		for (int m = 0; m < MEASURE_MAX && profile->samples[i].size; m++)
			total[m] += value[m];
	}
}

static void assert_go_reads(const struct directory *dir, const struct profile *profile, unsigned int measures)
{
	u64 total[MEASURE_MAX], text_total[MEASURE_MAX];
	char **files;

	assert_int_equal(writer_write(dir->fd, profile, FORMAT_PPROF | FORMAT_TEXT, 0, &files), 0);
	profile_totals(profile, total);
	sum_without_size_zero(profile, text_total);
	for (unsigned int m = 0; m < measures; m++)
		assert_total(dir, files[0], m, total[m]);
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		assert_total(dir, files[1], m, text_total[m]);
	writer_files_free(files);
}

static void test_writer_go_reads_the_small_profile_in_all_indexes(void **state)
{
	struct profile profile = golden_small();

	assert_go_reads(*state, &profile, MEASURE_MAX);
}

static void test_writer_go_reads_an_all_live_profile_in_all_indexes(void **state)
{
	struct profile profile = golden_all_live();

	assert_go_reads(*state, &profile, MEASURE_MAX);
}

static void test_writer_go_reads_an_empty_profile_in_all_indexes(void **state)
{
	struct profile profile = golden_empty();

	assert_go_reads(*state, &profile, MEASURE_MAX);
}

static void test_writer_go_reads_an_alloc_only_profile(void **state)
{
	struct profile profile = golden_alloc_only();

	assert_go_reads(*state, &profile, INUSE_OBJECTS);
}

/* Every small size, where the last bit of an exponential decides, at awkward intervals: both formats to the byte. */
static void test_writer_go_unsamples_text_to_the_same_byte(void **state)
{
	static const u64 intervals[] = {3, 524288, 67108864};
	enum {
		MANY = 3000
	};
	struct profile_sample *samples = calloc(MANY, sizeof(*samples));

	assert_non_null(samples);
	for (u64 i = 0; i < MANY; i++)
		samples[i] = (struct profile_sample){.size = i + 1, .alloc_count = 1 + i % 7, .inuse_count = i % 3};
	for (int i = 0; i < 3; i++) {
		struct profile profile = golden_empty();

		profile.sample_bytes = intervals[i];
		profile.samples = samples;
		profile.sample_count = MANY;
		assert_go_reads(*state, &profile, MEASURE_MAX);
	}
	free(samples);
}

static void test_writer_go_shows_our_names_and_inlining(void **state)
{
	const struct directory *dir = *state;
	struct profile profile = golden_small();
	char **files, *output;

	assert_int_equal(writer_write(dir->fd, &profile, FORMAT_PPROF, 0, &files), 0);
	output = run_pprof(dir, files[0], INUSE_SPACE);
	assert_non_null(strstr(output, "File: small app\n"));
	assert_non_null(strstr(output, "Build ID: 0102030405060708090a0b0c0d0e0f10111213ff\n"));
	assert_non_null(strstr(output, "1574400B 21.44% 92.86%   1574400B 21.44%  make_node (inline)\n"));
	assert_non_null(strstr(output, "ns::list<int>::grow"));
	assert_non_null(strstr(output, "heaptap: lost_ring=2\n"));
	free(output);
	writer_files_free(files);
}

#define in_directory(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_directory(test_writer_write_all_formats_writes_and_lists_four_files),
		in_directory(test_writer_write_one_format_writes_one_file),
		in_directory(test_writer_write_image_and_sequence_are_in_the_name),
		in_directory(test_writer_write_comm_is_cleaned),
		in_directory(test_writer_write_alloc_only_folds_what_was_allocated),
		in_directory(test_writer_write_replaces_an_older_file),
		in_directory(test_writer_write_failing_disk_keeps_the_older_file_and_no_other),
		in_directory(test_writer_write_blocked_name_lists_the_others),
		in_directory(test_writer_write_planted_temporary_name_is_not_followed),
		in_directory(test_writer_write_bad_directory_fails_with_an_empty_list),
		in_directory(test_writer_index_is_written_whole),
		in_directory(test_writer_go_reads_the_small_profile_in_all_indexes),
		in_directory(test_writer_go_reads_an_all_live_profile_in_all_indexes),
		in_directory(test_writer_go_reads_an_empty_profile_in_all_indexes),
		in_directory(test_writer_go_reads_an_alloc_only_profile),
		in_directory(test_writer_go_unsamples_text_to_the_same_byte),
		in_directory(test_writer_go_shows_our_names_and_inlining),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
