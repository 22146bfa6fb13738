/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli.c, value.c, verb.c: every option and value at its borders, and what a user reads when one is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../user/cli.h"
#include "capture.h"

#define WORDS_MAX 16

struct scene {
	char line[PIDS_MAX * 8 + 64];
	char *argv[WORDS_MAX + 1];
	struct options options;
	struct capture out, err;
	const char *out_text, *err_text;
	int status;
};

static int scene_setup(void **state)
{
	*state = calloc(1, sizeof(struct scene));
	return *state ? 0 : -1;
}

static int scene_teardown(void **state)
{
	struct scene *scene = *state;

	cli_release(&scene->options);
	free(scene);
	return 0;
}

/* Parse "heaptap" and the blank-separated words of `line`; an empty word is written "''". */
static void parse(struct scene *scene, const char *line)
{
	char *word, *save;
	int argc = 0;

	cli_release(&scene->options);
	memset(&scene->options, 0xff, sizeof(scene->options)); /* every field must be set */
	snprintf(scene->line, sizeof(scene->line), "heaptap %s", line);
	for (word = strtok_r(scene->line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(argc < WORDS_MAX);
		scene->argv[argc++] = strcmp(word, "''") ? word : word + 2;
	}
	scene->argv[argc] = NULL;
	capture_begin(&scene->out, stdout);
	capture_begin(&scene->err, stderr);
	scene->status = cli_parse(argc, scene->argv, &scene->options);
	scene->err_text = capture_end(&scene->err);
	scene->out_text = capture_end(&scene->out);
}

static struct options *accept(struct scene *scene, const char *line)
{
	parse(scene, line);
	assert_string_equal(scene->err_text, "");
	assert_string_equal(scene->out_text, "");
	assert_int_equal(scene->status, STATUS_DONE);
	assert_int_not_equal(scene->options.verb, VERB_NONE);
	return &scene->options;
}

/* One sentence on stderr that names `culprit` and ends with the next step; nothing else, and nothing to release. */
static void refuse(struct scene *scene, const char *line, const char *culprit)
{
	char verb[16] = "", step[64];

	parse(scene, line);
	assert_int_equal(scene->status, STATUS_USAGE);
	assert_string_equal(scene->out_text, "");
	assert_int_equal(scene->options.verb, VERB_NONE);
	assert_null(scene->options.pids);
	if (!strncmp(line, "record", 6) || !strncmp(line, "report", 6) || !strncmp(line, "doctor", 6))
		snprintf(verb, sizeof(verb), "%.6s ", line);
	snprintf(step, sizeof(step), "; try 'heaptap %s--help'\n", verb);
	assert_non_null(strstr(scene->err_text, culprit));
	assert_true(strlen(scene->err_text) > strlen(step));
	assert_string_equal(scene->err_text + strlen(scene->err_text) - strlen(step), step);
	assert_ptr_equal(strchr(scene->err_text, '\n'), scene->err_text + strlen(scene->err_text) - 1);
	memset(&scene->options, 0, sizeof(scene->options));
}

static void test_cli_no_verb_or_unknown_is_refused(void **state)
{
	refuse(*state, "", "no verb");
	refuse(*state, "trace", "'trace'");
	refuse(*state, "-p 1", "'-p'");
	refuse(*state, "''", "''");
}

static void test_cli_version_goes_to_stdout(void **state)
{
	static const char *const lines[] = {"--version", "record --version", "report --version", "doctor --version"};
	struct scene *scene = *state;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		parse(scene, lines[i]);
		assert_int_equal(scene->status, STATUS_DONE);
		assert_int_equal(scene->options.verb, VERB_NONE);
		assert_string_equal(scene->out_text, "heaptap " HEAPTAP_VERSION "\n");
		assert_string_equal(scene->err_text, "");
	}
}

/* Line breaks depend on the width; the words do not. */
static void assert_says(const char *text, const char *words)
{
	char flat[16384], *at;

	snprintf(flat, sizeof(flat), "%s", text);
	for (at = flat; *at; at++)
		if (*at == '\n')
			*at = ' ';
	assert_non_null(strstr(flat, words));
}

static void test_cli_help_states_options_and_limits(void **state)
{
	static const char *const lines[] = {"--help", "record --help", "report --help", "doctor --help"};
	static const char *const words[] = {"1024 processes", "1024 allocator files", "128 frames",
					    "1 Mi live",      "64 Ki distinct",	      "--version"};
	struct scene *scene = *state;
	size_t i, j;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		parse(scene, lines[i]);
		assert_int_equal(scene->status, STATUS_DONE);
		assert_int_equal(scene->options.verb, VERB_NONE);
		assert_string_equal(scene->err_text, "");
		for (j = 0; j < sizeof(words) / sizeof(*words); j++)
			assert_says(scene->out_text, words[j]);
	}
	parse(scene, "record -p 1 --help -R x");
	assert_int_equal(scene->status, STATUS_DONE);
	assert_says(scene->out_text, "Usage: heaptap record");
	assert_says(scene->out_text, "--alloc-only");
}

static void test_cli_record_defaults_are_as_documented(void **state)
{
	struct options *options = accept(*state, "record -p 1");

	assert_int_equal(options->verb, VERB_RECORD);
	assert_int_equal(options->verbosity, 0);
	assert_int_equal(options->pid_count, 1);
	assert_int_equal(options->pids[0], 1);
	assert_null(options->command);
	assert_true(options->duration_s == 0);
	assert_int_equal(options->sample_bytes, 512 * 1024);
	assert_null(options->output);
	assert_int_equal(options->formats, FORMAT_PPROF);
	assert_false(options->force);
	assert_false(options->alloc_only);
	assert_int_equal(options->collector.gogc_percent, 100);
	assert_int_equal(options->collector.tenure, 2);
	assert_true(options->interval_s == 0);
	assert_string_equal(options->argv[0], "-p");
	assert_string_equal(options->argv[1], "1");
	assert_null(options->argv[2]);
}

static void test_cli_record_all_options_are_taken(void **state)
{
	struct options *options = accept(*state, "record --duration=2.5 --sample-bytes=64K --output d --force "
						 "--format=text,json --alloc-only -v -p 7");

	assert_true(options->duration_s == 2.5);
	assert_int_equal(options->sample_bytes, 65536);
	assert_string_equal(options->output, "d");
	assert_true(options->force);
	assert_int_equal(options->formats, FORMAT_TEXT | FORMAT_JSON);
	assert_true(options->alloc_only);
	assert_int_equal(options->verbosity, 1);
	assert_int_equal(accept(*state, "record -q -p 7")->verbosity, -1);
	assert_int_equal(accept(*state, "record -qvp7")->verbosity, 1);
}

static void test_cli_command_takes_the_rest(void **state)
{
	struct options *options = accept(*state, "record -o d -- ls -l -- -p 1");

	assert_int_equal(options->pid_count, 0);
	assert_string_equal(options->command[0], "ls");
	assert_string_equal(options->command[1], "-l");
	assert_string_equal(options->command[2], "--");
	assert_string_equal(options->command[3], "-p");
	assert_string_equal(options->command[4], "1");
	assert_null(options->command[5]);
	assert_string_equal(accept(*state, "record -- -x")->command[0], "-x");
	assert_string_equal(accept(*state, "record -- -- x")->command[0], "--");
}

static void test_cli_record_without_one_target_is_refused(void **state)
{
	refuse(*state, "record", "no target");
	refuse(*state, "record -o d", "no target");
	refuse(*state, "record --", "no COMMAND");
	refuse(*state, "record -p 1 -- ls", "'ls'");
	refuse(*state, "record ls -l", "'ls'");
	refuse(*state, "record -p 1 ls", "'ls'");
	refuse(*state, "record -p 1 --", "no COMMAND");
}

static void test_cli_pids_are_merged_without_duplicates(void **state)
{
	struct options *options = accept(*state, "record -p 3,1,3 -p 2,1 -p 2147483647");

	assert_int_equal(options->pid_count, 4);
	assert_int_equal(options->pids[0], 3);
	assert_int_equal(options->pids[1], 1);
	assert_int_equal(options->pids[2], 2);
	assert_int_equal(options->pids[3], 2147483647);
}

static void test_cli_pid_that_is_none_is_refused(void **state)
{
	char own[64], culprit[32];

	refuse(*state, "record -p 0", "'0'");
	refuse(*state, "record -p -1", "'-1'");
	refuse(*state, "record -p +1", "'+1'");
	refuse(*state, "record -p 12x", "'12x'");
	refuse(*state, "record -p 0x1", "'0x1'");
	refuse(*state, "record -p 2147483648", "'2147483648'");
	refuse(*state, "record -p 99999999999999999999999", "'99999999999999999999999'");
	refuse(*state, "record -p ''", "''");
	refuse(*state, "record -p 1,", "''");
	refuse(*state, "record -p 1,,2", "''");
	refuse(*state, "record -p 1 -p x", "'x'");
	snprintf(own, sizeof(own), "record -p 1,%d", getpid());
	snprintf(culprit, sizeof(culprit), "'%d' in '-p' is heaptap itself", getpid());
	refuse(*state, own, culprit);
}

static void test_cli_pids_above_the_limit_are_refused(void **state)
{
	char line[PIDS_MAX * 8 + 64] = "record -p ";
	size_t length = strlen(line);
	unsigned int i;

	/* Far above any pid of a test machine, so that none is our own. */
	for (i = 0; i < PIDS_MAX; i++)
		length += (size_t)snprintf(line + length, sizeof(line) - length, "%s%u", i ? "," : "", 5000000 + i);
	assert_int_equal(accept(*state, line)->pid_count, PIDS_MAX);
	snprintf(line + length, sizeof(line) - length, ",1");
	refuse(*state, line, "at most 1024");
}

static void test_cli_sample_bytes_take_suffixes_up_to_the_limit(void **state)
{
	assert_int_equal(accept(*state, "record -p 1 -R 1")->sample_bytes, 1);
	assert_int_equal(accept(*state, "record -p 1 -R 007")->sample_bytes, 7);
	assert_int_equal(accept(*state, "record -p 1 -R 2k")->sample_bytes, 2048);
	assert_int_equal(accept(*state, "record -p 1 -R 3M")->sample_bytes, 3145728);
	assert_int_equal(accept(*state, "record -p 1 -R 3G")->sample_bytes, 3221225472u);
	assert_int_equal(accept(*state, "record -p 1 -R 4294967295")->sample_bytes, 4294967295u);
	assert_int_equal(accept(*state, "record -p 1 -R 4194303K")->sample_bytes, 4294966272u);
}

static void test_cli_sample_bytes_out_of_range_are_refused(void **state)
{
	refuse(*state, "record -p 1 -R 0", "at least 1");
	refuse(*state, "record -p 1 -R 0K", "at least 1");
	refuse(*state, "record -p 1 -R 4294967296", "at most 4294967295");
	refuse(*state, "record -p 1 -R 4G", "at most 4294967295");
	refuse(*state, "record -p 1 -R 4194304K", "at most 4294967295");
	refuse(*state, "record -p 1 -R 18446744073709551617", "at most 4294967295");
	refuse(*state, "record -p 1 -R 18014398509481985K", "at most 4294967295");
}

static void test_cli_sample_bytes_malformed_are_refused(void **state)
{
	refuse(*state, "record -p 1 -R -1", "'-R -1'");
	refuse(*state, "record -p 1 -R K", "'-R K'");
	refuse(*state, "record -p 1 -R 1T", "'-R 1T'");
	refuse(*state, "record -p 1 -R 1KB", "'-R 1KB'");
	refuse(*state, "record -p 1 -R 1.5K", "'-R 1.5K'");
	refuse(*state, "record -p 1 -R 1e6", "'-R 1e6'");
	refuse(*state, "record -p 1 -R ''", "'-R '");
}

static void test_cli_duration_takes_fractions(void **state)
{
	assert_true(accept(*state, "record -p 1 -d 1")->duration_s == 1);
	assert_true(accept(*state, "record -p 1 -d 0.25")->duration_s == 0.25);
	assert_true(accept(*state, "record -p 1 -d .5")->duration_s == 0.5);
	assert_true(accept(*state, "record -p 1 -d 3.")->duration_s == 3);
	assert_true(accept(*state, "record -p 1 -d 1000000000")->duration_s == 1e9);
}

static void test_cli_duration_malformed_or_out_of_range_is_refused(void **state)
{
	refuse(*state, "record -p 1 -d 0", "'-d 0'");
	refuse(*state, "record -p 1 -d 0.0", "more than 0");
	refuse(*state, "record -p 1 -d -1", "'-d -1'");
	refuse(*state, "record -p 1 -d .", "'-d .'");
	refuse(*state, "record -p 1 -d 1s", "'-d 1s'");
	refuse(*state, "record -p 1 -d 1e3", "'-d 1e3'");
	refuse(*state, "record -p 1 -d 1.2.3", "'-d 1.2.3'");
	refuse(*state, "record -p 1 -d inf", "'-d inf'");
	refuse(*state, "record -p 1 -d nan", "'-d nan'");
	refuse(*state, "record -p 1 -d 0x1", "'-d 0x1'");
	refuse(*state, "record -p 1 -d 1000000001", "at most 1000000000");
}

static void test_cli_model_options_are_taken(void **state)
{
	struct options *options = accept(*state, "record -p 1 --gogc 50 --tenure 31 --interval 0.5");

	assert_int_equal(options->collector.gogc_percent, 50);
	assert_int_equal(options->collector.tenure, 31);
	assert_true(options->interval_s == 0.5);
	assert_int_equal(accept(*state, "record -p 1 --gogc off")->collector.gogc_percent, 0);
	assert_int_equal(accept(*state, "record -p 1 --gogc=1000000")->collector.gogc_percent, 1000000);
	assert_true(accept(*state, "record -p 1 --alloc-only --interval 1")->alloc_only);
}

static void test_cli_model_options_out_of_range_are_refused(void **state)
{
	refuse(*state, "record -p 1 --gogc 0", "'--gogc 0'");
	refuse(*state, "record -p 1 --gogc -1", "'--gogc -1'");
	refuse(*state, "record -p 1 --gogc Off", "'--gogc Off'");
	refuse(*state, "record -p 1 --gogc 1000001", "1000000");
	refuse(*state, "record -p 1 --gogc", "needs an argument");
	refuse(*state, "record -p 1 --tenure 0", "'--tenure 0'");
	refuse(*state, "record -p 1 --tenure 32", "from 1 to 31");
	refuse(*state, "record -p 1 --interval 0", "more than 0");
	refuse(*state, "record -p 1 --interval x", "'--interval x'");
	refuse(*state, "record -p 1 --interval 1000000001", "at most 1000000000");
}

static void test_cli_model_options_without_frees_are_refused(void **state)
{
	refuse(*state, "record -p 1 --alloc-only --gogc 100", "'--gogc'");
	refuse(*state, "record -p 1 --tenure 3 --alloc-only", "'--tenure'");
}

static void test_cli_formats_are_a_set(void **state)
{
	assert_int_equal(accept(*state, "record -p 1 -f folded")->formats, FORMAT_FOLDED);
	assert_int_equal(accept(*state, "record -p 1 -f json,pprof,json")->formats, FORMAT_JSON | FORMAT_PPROF);
	assert_int_equal(accept(*state, "record -p 1 -f text -f folded")->formats, FORMAT_TEXT | FORMAT_FOLDED);
	assert_int_equal(accept(*state, "record -p 1 -f all")->formats,
			 FORMAT_PPROF | FORMAT_TEXT | FORMAT_FOLDED | FORMAT_JSON);
	refuse(*state, "record -p 1 -f xml", "'xml'");
	refuse(*state, "record -p 1 -f text,Json", "'Json'");
	refuse(*state, "record -p 1 -f text,", "''");
	refuse(*state, "record -p 1 -f ''", "''");
}

static void test_cli_unknown_option_is_named(void **state)
{
	refuse(*state, "record -p 1 -vZq", "'-Z'");
	refuse(*state, "record -o -x -qZ q", "'-Z'");
	refuse(*state, "record -n 5 -p 1", "'-n'");
	refuse(*state, "report -p 1", "'-p'");
	refuse(*state, "doctor -R 1", "'-R'");
}

static void test_cli_abbreviated_option_is_unknown(void **state)
{
	refuse(*state, "record -p 1 --alloc-o", "unknown option '--alloc-o'");
	refuse(*state, "record -p 1 --dur=1", "unknown option '--dur'");
	refuse(*state, "record -p 1 --for", "unknown option '--for'");
}

static void test_cli_option_argument_missing_or_unwanted_is_refused(void **state)
{
	refuse(*state, "record -p 1 -d", "'-d' needs an argument");
	refuse(*state, "record -p 1 -qd", "'-d' needs an argument");
	refuse(*state, "record -p 1 --output", "'--output' needs an argument");
	refuse(*state, "record -p 1 --force=yes", "'--force' takes no argument");
	refuse(*state, "record -p 1 -o ''", "'-o'");
}

static void test_cli_report_options_are_taken(void **state)
{
	struct options *options = accept(*state, "report x.pb.gz");

	assert_int_equal(options->verb, VERB_REPORT);
	assert_string_equal(options->path, "x.pb.gz");
	assert_int_equal(options->report_format, REPORT_TABLE);
	assert_int_equal(options->measure, INUSE_SPACE);
	assert_int_equal(options->top, 20);
	options = accept(*state, "report -f folded dir --top=3 --sample-index alloc_objects");
	assert_string_equal(options->path, "dir");
	assert_int_equal(options->report_format, REPORT_FOLDED);
	assert_int_equal(options->measure, ALLOC_OBJECTS);
	assert_int_equal(options->top, 3);
	options = accept(*state, "report -f text -n 4294967295 -i inuse_objects -- -dir");
	assert_string_equal(options->path, "-dir");
	assert_int_equal(options->report_format, REPORT_TEXT);
	assert_int_equal(options->measure, INUSE_OBJECTS);
	assert_int_equal(options->top, 4294967295u);
	assert_int_equal(accept(*state, "report -i alloc_space x")->measure, ALLOC_SPACE);
}

static void test_cli_report_wrong_arguments_are_refused(void **state)
{
	refuse(*state, "report", "no FILE");
	refuse(*state, "report ''", "''");
	refuse(*state, "report a b", "'b'");
	refuse(*state, "report -f json a", "'json'");
	refuse(*state, "report -f all a", "'all'");
	refuse(*state, "report -i bytes a", "'bytes'");
	refuse(*state, "report -n 0 a", "'-n 0'");
	refuse(*state, "report -n 4294967296 a", "'-n 4294967296'");
	refuse(*state, "report -n -1 a", "'-n -1'");
}

static void test_cli_report_ways_of_looking_exclude_each_other(void **state)
{
	struct options *options = accept(*state, "report --lifetimes x");

	assert_true(options->lifetimes);
	assert_true(accept(*state, "report x --older-than 1.5 -f folded")->older_s == 1.5);
	options = accept(*state, "report --base old new");
	assert_string_equal(options->base, "old");
	assert_string_equal(options->path, "new");
	refuse(*state, "report --base old", "'--base old'");
	refuse(*state, "report --base '' new", "'--base'");
	refuse(*state, "report --lifetimes --base old new", "exclude each other");
	refuse(*state, "report --lifetimes --older-than 3 x", "exclude each other");
	refuse(*state, "report --base old --older-than 3 x", "exclude each other");
	refuse(*state, "report --lifetimes -f text x", "'--lifetimes'");
	refuse(*state, "report -f folded --base old x", "'--base'");
	refuse(*state, "report --older-than 0 x", "more than 0");
	refuse(*state, "report --older-than 1m x", "'--older-than 1m'");
}

static void test_cli_fail_on_takes_what_can_be_found(void **state)
{
	assert_false(accept(*state, "record -p 1")->fail_on_growing);
	assert_true(accept(*state, "record -p 1 --fail-on growing")->fail_on_growing);
	refuse(*state, "record -p 1 --fail-on leak", "'--fail-on leak'");
	refuse(*state, "record -p 1 --fail-on growing --alloc-only", "'--fail-on'");
}

static void test_cli_doctor_target_is_optional(void **state)
{
	struct options *options = accept(*state, "doctor");

	assert_int_equal(options->verb, VERB_DOCTOR);
	assert_int_equal(options->pid_count, 0);
	assert_null(options->command);
	assert_int_equal(accept(*state, "doctor -p 1,2")->pid_count, 2);
	assert_string_equal(accept(*state, "doctor -- ls -l")->command[0], "ls");
	refuse(*state, "doctor -p 1 -- ls", "'ls'");
	refuse(*state, "doctor ls", "'ls'");
}

static void test_cli_doctor_takes_the_targets_of_record(void **state)
{
	assert_int_equal(accept(*state, "doctor --follow -p 1")->population, POPULATION_FOLLOW);
	assert_true(accept(*state, "doctor --follow --shared-mounts -- ls")->shared_mounts);
	assert_int_equal(accept(*state, "doctor -a --comm sh")->population, POPULATION_ALL);
	assert_string_equal(accept(*state, "doctor --cgroup /a --exe /bin/sh")->exe, "/bin/sh");
	assert_string_equal(accept(*state, "doctor --container web")->container, "web");
	refuse(*state, "doctor --follow", "'--follow'");
	refuse(*state, "doctor -p 1 --comm sh", "'--comm'");
}

static void test_cli_hostile_argument_cannot_act_on_the_terminal(void **state)
{
	struct scene *scene = *state;

	refuse(scene, "record -p \x1b[2J", "'?[2J'");
	assert_null(strchr(scene->err_text, '\x1b'));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cli_no_verb_or_unknown_is_refused),
		TEST(test_cli_version_goes_to_stdout),
		TEST(test_cli_help_states_options_and_limits),
		TEST(test_cli_record_defaults_are_as_documented),
		TEST(test_cli_record_all_options_are_taken),
		TEST(test_cli_command_takes_the_rest),
		TEST(test_cli_record_without_one_target_is_refused),
		TEST(test_cli_pids_are_merged_without_duplicates),
		TEST(test_cli_pid_that_is_none_is_refused),
		TEST(test_cli_pids_above_the_limit_are_refused),
		TEST(test_cli_sample_bytes_take_suffixes_up_to_the_limit),
		TEST(test_cli_sample_bytes_out_of_range_are_refused),
		TEST(test_cli_sample_bytes_malformed_are_refused),
		TEST(test_cli_duration_takes_fractions),
		TEST(test_cli_duration_malformed_or_out_of_range_is_refused),
		TEST(test_cli_model_options_are_taken),
		TEST(test_cli_model_options_out_of_range_are_refused),
		TEST(test_cli_model_options_without_frees_are_refused),
		TEST(test_cli_formats_are_a_set),
		TEST(test_cli_unknown_option_is_named),
		TEST(test_cli_abbreviated_option_is_unknown),
		TEST(test_cli_option_argument_missing_or_unwanted_is_refused),
		TEST(test_cli_report_options_are_taken),
		TEST(test_cli_report_wrong_arguments_are_refused),
		TEST(test_cli_report_ways_of_looking_exclude_each_other),
		TEST(test_cli_fail_on_takes_what_can_be_found),
		TEST(test_cli_doctor_target_is_optional),
		TEST(test_cli_doctor_takes_the_targets_of_record),
		TEST(test_cli_hostile_argument_cannot_act_on_the_terminal),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
