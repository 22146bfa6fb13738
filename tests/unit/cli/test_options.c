/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c, option_parser.c, option_table.c: every option and value at its borders, and what a user reads when one is wrong. */
#include "cli_scene.h"

static void test_cli_no_verb_or_unknown_is_refused(void **state)
{
	refuse(*state, "", "no verb");
	refuse(*state, "nosuchverb", "'nosuchverb'");
	refuse(*state, "''", "''");
}

static void test_cli_version_goes_to_stdout(void **state)
{
	static const char *const lines[] = {"--version", "-V", "record --version", "report --version",
					    "doctor --version"};
	struct scene *scene = *state;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		parse(scene, lines[i]);
		assert_int_equal(scene->status, STATUS_DONE);
		assert_int_equal(scene->options.verb, SUBCOMMAND_NONE);
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
	static const char *const lines[] = {
		"--help",    "-h",	  "help",      "record --help", "report --help", "doctor --help",
		"record -h", "report -h", "doctor -h", "help record",	"help report",	 "help doctor"};
	static const char *const words[] = {"1024 processes with -p, 65535 at once",
					    "1024 allocator files",
					    "128 frames",
					    "1 Mi live",
					    "64 Ki distinct",
					    "--version"};
	struct scene *scene = *state;
	size_t i, j;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		parse(scene, lines[i]);
		assert_int_equal(scene->status, STATUS_DONE);
		assert_int_equal(scene->options.verb, SUBCOMMAND_NONE);
		assert_string_equal(scene->err_text, "");
		for (j = 0; j < sizeof(words) / sizeof(*words); j++)
			assert_says(scene->out_text, words[j]);
	}
	parse(scene, "record -p 1 --help -R x");
	assert_int_equal(scene->status, STATUS_DONE);
	assert_says(scene->out_text, "Usage: heaptap record");
	assert_says(scene->out_text, "--alloc-only");
	parse(scene, "help doctor");
	assert_says(scene->out_text, "Usage: heaptap doctor");
}

static void test_cli_record_defaults_are_as_documented(void **state)
{
	struct options *options = accept(*state, "record -p 1");

	assert_int_equal(options->verb, SUBCOMMAND_RECORD);
	assert_int_equal(options->verbosity, 0);
	assert_int_equal(options->record.tracing.target.pid_count, 1);
	assert_int_equal(options->record.tracing.target.pids[0], 1);
	assert_null(options->record.tracing.target.command);
	assert_true(options->record.tracing.duration_s == 0);
	assert_int_equal(options->record.tracing.sample_bytes, 512 * 1024);
	assert_null(options->record.output);
	assert_int_equal(options->record.formats, FORMAT_PPROF);
	assert_false(options->record.force);
	assert_int_equal(options->record.mode, 0600);
	assert_false(options->record.tracing.alloc_only);
	assert_int_equal(options->record.tracing.gc.gogc_percent, 100);
	assert_int_equal(options->record.tracing.gc.tenure, 2);
	assert_true(options->record.interval_s == 0);
	assert_string_equal(options->record.argv[0], "-p");
	assert_string_equal(options->record.argv[1], "1");
	assert_null(options->record.argv[2]);
}

static void test_cli_record_all_options_are_taken(void **state)
{
	struct options *options = accept(*state, "record --duration=2.5 --sample-bytes=64K --output d --force "
						 "--format=text,json --alloc-only -v -p 7");

	assert_true(options->record.tracing.duration_s == 2.5);
	assert_int_equal(options->record.tracing.sample_bytes, 65536);
	assert_string_equal(options->record.output, "d");
	assert_true(options->record.force);
	assert_int_equal(options->record.formats, FORMAT_TEXT | FORMAT_JSON);
	assert_true(options->record.tracing.alloc_only);
	assert_int_equal(options->verbosity, 1);
	assert_int_equal(accept(*state, "record -q -p 7")->verbosity, -1);
	assert_int_equal(accept(*state, "record -qvp7")->verbosity, 1);
}

static void test_cli_mode_is_one_of_readable_files(void **state)
{
	static const char *const wrong[] = {"''",  "8",	   "0o640", "-640",  "064", "400",
					    "700", "1600", "677",   "00640", "640x"};
	char line[64], culprit[32];

	assert_int_equal(accept(*state, "record -p 1 --mode 644")->record.mode, 0644);
	assert_int_equal(accept(*state, "record -p 1 --mode=0666")->record.mode, 0666);
	assert_int_equal(accept(*state, "record -p 1 --mode 600")->record.mode, 0600);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		snprintf(line, sizeof(line), "record -p 1 --mode %s", wrong[i]);
		snprintf(culprit, sizeof(culprit), "'--mode %s'", strcmp(wrong[i], "''") ? wrong[i] : "");
		refuse(*state, line, culprit);
	}
}

static void test_cli_sample_bytes_take_suffixes_up_to_the_limit(void **state)
{
	assert_int_equal(accept(*state, "record -p 1 -R 1")->record.tracing.sample_bytes, 1);
	assert_int_equal(accept(*state, "record -p 1 -R 007")->record.tracing.sample_bytes, 7);
	assert_int_equal(accept(*state, "record -p 1 -R 2k")->record.tracing.sample_bytes, 2048);
	assert_int_equal(accept(*state, "record -p 1 -R 3M")->record.tracing.sample_bytes, 3145728);
	assert_int_equal(accept(*state, "record -p 1 -R 3G")->record.tracing.sample_bytes, 3221225472u);
	assert_int_equal(accept(*state, "record -p 1 -R 4294967295")->record.tracing.sample_bytes, 4294967295u);
	assert_int_equal(accept(*state, "record -p 1 -R 4194303K")->record.tracing.sample_bytes, 4294966272u);
	assert_int_equal(accept(*state, "record -p 1 -R 64KiB")->record.tracing.sample_bytes, 65536);
	assert_int_equal(accept(*state, "record -p 1 -R 64kb")->record.tracing.sample_bytes, 65536);
	assert_int_equal(accept(*state, "record -p 1 -R 0.5M")->record.tracing.sample_bytes, 524288);
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
	refuse(*state, "record -p 1 -R 0.0001K", "at least 1");
}

static void test_cli_sample_bytes_malformed_are_refused(void **state)
{
	refuse(*state, "record -p 1 -R -1", "'-R -1'");
	refuse(*state, "record -p 1 -R K", "'-R K'");
	refuse(*state, "record -p 1 -R 1T", "'-R 1T'");
	refuse(*state, "record -p 1 -R 1.5", "'-R 1.5'");
	refuse(*state, "record -p 1 -R 1e6", "'-R 1e6'");
	refuse(*state, "record -p 1 -R ''", "'-R '");
}

static void test_cli_times_take_fractions_and_units(void **state)
{
	assert_true(accept(*state, "record -p 1 -d 1")->record.tracing.duration_s == 1);
	assert_true(accept(*state, "record -p 1 -d 0.25")->record.tracing.duration_s == 0.25);
	assert_true(accept(*state, "record -p 1 -d .5")->record.tracing.duration_s == 0.5);
	assert_true(accept(*state, "record -p 1 -d 3.")->record.tracing.duration_s == 3);
	assert_true(accept(*state, "record -p 1 -d 1000000000")->record.tracing.duration_s == 1e9);
	assert_true(accept(*state, "record -p 1 -d 1m")->record.tracing.duration_s == 60);
	assert_true(accept(*state, "record -p 1 -d 90s")->record.tracing.duration_s == 90);
	assert_true(accept(*state, "record -p 1 -d 1h30m")->record.tracing.duration_s == 5400);
	assert_true(accept(*state, "record -p 1 --interval 5m")->record.interval_s == 300);
	assert_true(accept(*state, "report --older-than 250ms x")->report.older_s == 0.25);
}

static void test_cli_duration_malformed_or_out_of_range_is_refused(void **state)
{
	refuse(*state, "record -p 1 -d 0", "'-d 0'");
	refuse(*state, "record -p 1 -d 0.0", "more than 0");
	refuse(*state, "record -p 1 -d -1", "'-d -1'");
	refuse(*state, "record -p 1 -d .", "'-d .'");
	refuse(*state, "record -p 1 -d 1min", "'-d 1min'");
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

	assert_int_equal(options->record.tracing.gc.gogc_percent, 50);
	assert_int_equal(options->record.tracing.gc.tenure, 31);
	assert_true(options->record.interval_s == 0.5);
	assert_int_equal(accept(*state, "record -p 1 --gogc off")->record.tracing.gc.gogc_percent, 0);
	assert_int_equal(accept(*state, "record -p 1 --gogc=1000000")->record.tracing.gc.gogc_percent, 1000000);
	assert_true(accept(*state, "record -p 1 --alloc-only --interval 1")->record.tracing.alloc_only);
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

static void test_cli_max_overhead_is_a_percentage(void **state)
{
	assert_true(accept(*state, "record -p 1")->record.tracing.max_overhead_percent == 0);
	assert_true(accept(*state, "record -p 1 --max-overhead 5")->record.tracing.max_overhead_percent == 5);
	assert_true(accept(*state, "record -p 1 --max-overhead=0.5%")->record.tracing.max_overhead_percent == 0.5);
	assert_true(accept(*state, "top -p 1 --max-overhead 100")->record.tracing.max_overhead_percent == 100);
	assert_true(accept(*state, "serve -p 1 --max-overhead .25")->record.tracing.max_overhead_percent == 0.25);
	refuse(*state, "record -p 1 --max-overhead 0", "'--max-overhead 0'");
	refuse(*state, "record -p 1 --max-overhead 0.0%", "'--max-overhead 0.0%'");
	refuse(*state, "record -p 1 --max-overhead 100.1", "to 100");
	refuse(*state, "record -p 1 --max-overhead -5", "'--max-overhead -5'");
	refuse(*state, "record -p 1 --max-overhead 5%%", "'--max-overhead 5%%'");
	refuse(*state, "record -p 1 --max-overhead 1.2.3", "'--max-overhead 1.2.3'");
	refuse(*state, "record -p 1 --max-overhead 1e1", "'--max-overhead 1e1'");
	refuse(*state, "record -p 1 --max-overhead nan", "'--max-overhead nan'");
	refuse(*state, "record -p 1 --max-overhead .", "'--max-overhead .'");
	refuse(*state, "record -p 1 --max-overhead", "needs an argument");
	refuse(*state, "report x --max-overhead 5", "max-overhead");
	refuse(*state, "top x --max-overhead 5", "is about tracing");
}

static void test_cli_model_options_without_frees_are_refused(void **state)
{
	refuse(*state, "record -p 1 --alloc-only --gogc 100", "'--gogc'");
	refuse(*state, "record -p 1 --tenure 3 --alloc-only", "'--tenure'");
}

static void test_cli_formats_are_a_set(void **state)
{
	assert_int_equal(accept(*state, "record -p 1 -f folded")->record.formats, FORMAT_FOLDED);
	assert_int_equal(accept(*state, "record -p 1 -f json,pprof,json")->record.formats, FORMAT_JSON | FORMAT_PPROF);
	assert_int_equal(accept(*state, "record -p 1 -f text -f folded")->record.formats, FORMAT_TEXT | FORMAT_FOLDED);
	assert_int_equal(accept(*state, "record -p 1 -f all")->record.formats,
			 FORMAT_PPROF | FORMAT_TEXT | FORMAT_FOLDED | FORMAT_JSON);
	refuse(*state, "record -p 1 -f xml", "'xml'");
	refuse(*state, "record -p 1 -f text,Json", "'Json'");
	refuse(*state, "record -p 1 -f text,", "''");
	refuse(*state, "record -p 1 -f ''", "''");
}

static void test_cli_unknown_option_is_named(void **state)
{
	refuse(*state, "report -a", "'-a'");
	refuse(*state, "report --follow x", "'--follow'");
	refuse(*state, "doctor --keep 3 --all", "'--keep'");
	refuse(*state, "record -p 1 -vZq", "'-Z'");
	refuse(*state, "record -o -x -qZ q", "'-Z'");
	refuse(*state, "record -n 5 -p 1", "'-n'");
	refuse(*state, "report -p 1", "'-p'");
	refuse(*state, "doctor -R 1", "'-R'");
}

static void test_cli_option_may_be_cut_short_as_long_as_it_is_the_only_one(void **state)
{
	assert_true(accept(*state, "record -p 1 --alloc-o")->record.tracing.alloc_only);
	assert_true(accept(*state, "record -p 1 --dur=1")->record.tracing.duration_s == 1);
	assert_true(accept(*state, "record -p 1 --forc")->record.force);
	assert_int_equal(accept(*state, "record --all")->record.tracing.target.population, POPULATION_ALL);
	assert_int_equal(accept(*state, "record --pid 7 --verb")->verbosity, 1);
	assert_int_equal(accept(*state, "record --pid=7 --quiet")->verbosity, -1);
	refuse(*state, "record -p 1 --al", "'--al' may be --all, --alloc, --alloc-only");
	refuse(*state, "record -p 1 --for", "'--for' may be --force, --format");
}

static void test_cli_option_argument_missing_or_unwanted_is_refused(void **state)
{
	refuse(*state, "record -p 1 -d", "'-d' needs an argument");
	refuse(*state, "record -p 1 -qd", "'-d' needs an argument");
	refuse(*state, "record -p 1 --output", "'--output' needs an argument");
	refuse(*state, "record -p 1 --force=yes", "'--force' takes no argument");
	refuse(*state, "record -p 1 -o ''", "'-o'");
}

static void test_cli_fail_on_takes_what_can_be_found(void **state)
{
	assert_false(accept(*state, "record -p 1")->record.fail_on_growing);
	assert_true(accept(*state, "record -p 1 --fail-on growing")->record.fail_on_growing);
	refuse(*state, "record -p 1 --fail-on leak", "'--fail-on leak'");
	refuse(*state, "record -p 1 --fail-on growing --alloc-only", "'--fail-on'");
}

static void test_cli_hostile_argument_cannot_act_on_the_terminal(void **state)
{
	struct scene *scene = *state;

	refuse(scene, "record -d \x1b[2J", "?[2J'");
	assert_null(strchr(scene->err_text, '\x1b'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cli_no_verb_or_unknown_is_refused),
		TEST(test_cli_version_goes_to_stdout),
		TEST(test_cli_help_states_options_and_limits),
		TEST(test_cli_record_defaults_are_as_documented),
		TEST(test_cli_record_all_options_are_taken),
		TEST(test_cli_mode_is_one_of_readable_files),
		TEST(test_cli_sample_bytes_take_suffixes_up_to_the_limit),
		TEST(test_cli_sample_bytes_out_of_range_are_refused),
		TEST(test_cli_sample_bytes_malformed_are_refused),
		TEST(test_cli_times_take_fractions_and_units),
		TEST(test_cli_duration_malformed_or_out_of_range_is_refused),
		TEST(test_cli_model_options_are_taken),
		TEST(test_cli_model_options_out_of_range_are_refused),
		TEST(test_cli_max_overhead_is_a_percentage),
		TEST(test_cli_model_options_without_frees_are_refused),
		TEST(test_cli_formats_are_a_set),
		TEST(test_cli_unknown_option_is_named),
		TEST(test_cli_option_may_be_cut_short_as_long_as_it_is_the_only_one),
		TEST(test_cli_option_argument_missing_or_unwanted_is_refused),
		TEST(test_cli_fail_on_takes_what_can_be_found),
		TEST(test_cli_hostile_argument_cannot_act_on_the_terminal),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
