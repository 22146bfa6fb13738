/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording leaves: names, formats and index as documented, what --alloc-only takes away, and what report and
 * doctor make of it. */
#include <dirent.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

static void record_leak(struct scene *scene, const char *formats, const char *more)
{
	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "1", "-f", formats, more ? more : "-q", "--",
							   beside("target_leak"), "malloc", NULL}),
			 0);
}

static void assert_matches(const char *text, const char *pattern)
{
	regex_t regex;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&regex, text, 0, NULL, 0))
		fail_msg("\"%s\" does not match %s", text, pattern);
	regfree(&regex);
}

/* One file per format, and nothing but them: no temporary name is left. */
static void test_output_names_are_as_documented(void **state)
{
	struct scene *scene = *state;
	unsigned int files = 0;
	struct dirent *entry;
	DIR *dir;

	record_leak(scene, "all", NULL);
	dir = opendir(scene->session.output);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' && strspn(entry->d_name, ".") == strlen(entry->d_name))
			continue;
		assert_matches(entry->d_name, "^([0-9]+\\.target_leak\\.(pb\\.gz|txt|folded|json)|index\\.json)$");
		files++;
	}
	closedir(dir);
	assert_int_equal(files, 5);
}

static void assert_modes(const char *path, mode_t directory, mode_t file)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	struct stat status;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		assert_int_equal(fstatat(dirfd(dir), entry->d_name, &status, 0), 0);
		if (!strcmp(entry->d_name, ".."))
			continue;
		assert_int_equal(status.st_mode & 07777, S_ISDIR(status.st_mode) ? directory : file);
	}
	closedir(dir);
}

/* A profile of a daemon of root's tells where its code is mapped: nobody else is to read it. */
static void test_output_is_for_its_own_user_unless_asked(void **state)
{
	struct scene *scene = *state;
	mode_t before = umask(022);

	record_leak(scene, "all", NULL);
	assert_modes(scene->session.output, 0700, 0600);
	umask(077);
	record_leak(scene, "all", "--mode=640");
	assert_modes(scene->session.output, 0750, 0640);
	umask(before);
}

static void test_output_index_has_every_documented_field(void **state)
{
	static const char *const head[] = {"heaptap",		"sample_bytes",	    "attach", "start_unix_ns",
					   "duration_ns",	"options",	    "ledger", "processes",
					   "processes_missing", "processes_refused"};
	static const char *const fields[] = {
		"pid",	       "comm",		"exe",	       "cgroup",  "container", "files",	 "alloc_objects",
		"alloc_space", "inuse_objects", "inuse_space", "samples", "hits",      "ledger", "slowdown_percent"};
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;

	record_leak(scene, "pprof", NULL);
	index = session_index(&scene->session);
	process = index_process(index, "target_leak");
	for (size_t i = 0; i < sizeof(head) / sizeof(*head); i++) {
		if (!cJSON_HasObjectItem(index, head[i]))
			fail_msg("index.json has no %s", head[i]);
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (!cJSON_HasObjectItem(process, fields[i]))
			fail_msg("a process in index.json has no %s", fields[i]);
	}
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(process, "exe")),
			    beside("target_leak"));
	assert_true(index_number(process, "hits.alloc") >= 501);
	assert_true(index_number(process, "hits.free") >= 400);
	assert_true(index_number(process, "hits.alloc") < 1000);
	cJSON_Delete(index);
}

/* The leaking line by name, file and line, and main above it. */
static void test_output_text_names_function_file_and_line(void **state)
{
	struct scene *scene = *state;
	struct text_profile text;
	unsigned int found = 0;
	cJSON *index;

	record_leak(scene, "text", NULL);
	index = session_index(&scene->session);
	assert_int_equal(
		text_profile_read(index_file(&scene->session, index_process(index, "target_leak"), ".txt"), &text), 0);
	assert_true(text.mapping_count >= 3);
	for (size_t i = 0; i < text.count; i++) {
		const struct text_record *record = &text.records[i];

		if (record->inuse_objects != 1)
			continue;
		assert_true(record->frame_count >= 2);
		assert_string_equal(record->frames[0].function, "leak_once");
		assert_matches(record->frames[0].file, "tests/e2e/targets/target_leak\\.c$");
		assert_true(record->frames[0].line > 20 && record->frames[0].line < 30);
		assert_string_equal(record->frames[1].function, "main");
		found++;
	}
	assert_int_equal(found, 1);
	text_profile_release(&text);
	cJSON_Delete(index);
}

static void test_output_alloc_only_probes_no_free(void **state)
{
	struct scene *scene = *state;
	struct text_profile text;
	const cJSON *process;
	cJSON *index;

	record_leak(scene, "text,pprof", "--alloc-only");
	index = session_index(&scene->session);
	process = index_process(index, "target_leak");
	assert_int_equal(index_number(process, "hits.free"), 0);
	assert_int_equal(index_number(process, "inuse_objects"), 0);
	assert_int_equal(index_number(process, "inuse_space"), 0);
	assert_true(index_number(process, "alloc_objects") >= 501);
	assert_int_equal(text_profile_read(index_file(&scene->session, process, ".txt"), &text), 0);
	assert_int_equal(text.inuse_objects, 0);
	assert_int_equal(text.alloc_objects, index_number(process, "alloc_objects"));
	text_profile_release(&text);
	cJSON_Delete(index);
}

static char *output_of(const char *command)
{
	FILE *pipe = popen(command, "re");
	size_t size = 0;
	char *text = NULL;

	if (!pipe || getdelim(&text, &size, '\0', pipe) < 0)
		fail_msg("%s: no output", command);
	if (pclose(pipe))
		fail_msg("%s failed:\n%s", command, text);
	return text;
}

static void test_report_shows_the_leak_from_directory_and_file(void **state)
{
	struct scene *scene = *state;
	const char *path;
	cJSON *index;
	char *text;

	record_leak(scene, "pprof", NULL);
	index = session_index(&scene->session);
	path = index_file(&scene->session, index_process(index, "target_leak"), ".pb.gz");
	text = output_of(format("'%s' report '%s'", heaptap_path(), scene->session.output));
	assert_non_null(strstr(text, "leak_once"));
	free(text);
	text = output_of(format("'%s' report -f text '%s'", heaptap_path(), path));
	assert_matches(text, "^heap profile: 1: 30000 \\[");
	free(text);
	text = output_of(format("'%s' report -f folded '%s'", heaptap_path(), path));
	assert_non_null(strstr(text, "main;leak_once"));
	assert_non_null(strstr(text, " 30000\n"));
	free(text);
	cJSON_Delete(index);
}

static void test_doctor_explains_machine_and_target(void **state)
{
	struct scene *scene = *state;
	char *text;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_leak"), "none", NULL});
	target_ready(&scene->target);
	text = output_of(format("'%s' doctor -p %d 2>&1", heaptap_path(), scene->target.pid));
	assert_non_null(strstr(text, "libc.so.6"));
	assert_non_null(strstr(text, "malloc"));
	free(text);
	free(output_of(format("'%s' doctor 2>&1", heaptap_path())));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_output_names_are_as_documented),
		TEST(test_output_is_for_its_own_user_unless_asked),
		TEST(test_output_index_has_every_documented_field),
		TEST(test_output_text_names_function_file_and_line),
		TEST(test_output_alloc_only_probes_no_free),
		TEST(test_report_shows_the_leak_from_directory_and_file),
		TEST(test_doctor_explains_machine_and_target),
	};

	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
