/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people type wrong, and the whole sentence that each gets: it names the word, and says what to type instead. */
#include "cli_scene.h"

struct mistake {
	const char *line, *sentence;
	int status;
};

static void check(struct scene *scene, const struct mistake *mistakes, size_t count)
{
	char expected[1024];

	for (size_t i = 0; i < count; i++) {
		parse(scene, mistakes[i].line);
		snprintf(expected, sizeof(expected), "heaptap: %s\n", mistakes[i].sentence);
		assert_string_equal(scene->err_text, expected);
		assert_string_equal(scene->out_text, "");
		assert_int_equal(scene->status, mistakes[i].status);
		assert_int_equal(scene->options.verb, SUBCOMMAND_NONE);
	}
}

#define CHECK(scene, mistakes) check(scene, mistakes, sizeof(mistakes) / sizeof(*(mistakes)))

#define VERBS "record, report, doctor, top, serve or push"

static void test_mistakes_in_the_verb(void **state)
{
	static const struct mistake mistakes[] = {
		{"", "no verb: " VERBS "; try 'heaptap --help'", 2},
		{"rceord -p 1", "'rceord' is no verb: " VERBS "; try 'heaptap record -p 1'", 2},
		{"Record -p 1", "'Record' is no verb: " VERBS "; try 'heaptap record -p 1'", 2},
		{"rec -d 5 -p 1", "'rec' is no verb: " VERBS "; try 'heaptap record -d 5 -p 1'", 2},
		{"recrod -- ls", "'recrod' is no verb: " VERBS "; try 'heaptap record -- ls'", 125},
		{"reprot /tmp", "'reprot' is no verb: " VERBS "; try 'heaptap report /tmp'", 2},
		{"doktor", "'doktor' is no verb: " VERBS "; try 'heaptap doctor'", 2},
		{"attach 1234", "'attach' is no verb: " VERBS "; try 'heaptap record -p 1234'", 2},
		{"attach nginx", "'attach' is no verb: " VERBS "; try 'heaptap record -p nginx'", 2},
		{"trace -p 1234", "'trace' is no verb: " VERBS "; try 'heaptap record -p 1234'", 2},
		{"run ./server -v", "'run' is no verb: " VERBS "; try 'heaptap record -- ./server -v'", 2},
		{"show DIR", "'show' is no verb: " VERBS "; try 'heaptap report DIR'", 2},
		{"status", "'status' is no verb: " VERBS "; try 'heaptap doctor'", 2},
		{"version", "'version' is no verb: " VERBS "; try 'heaptap --version'", 2},
		{"1234", "'1234' is no verb: " VERBS "; try 'heaptap record -p 1234'", 2},
		{"/bin/true x", "'/bin/true' is no verb: " VERBS "; try 'heaptap record -- /bin/true x'", 2},
		{"true x", "'true' is no verb: " VERBS "; try 'heaptap record -- true x'", 2},
		{"/tmp", "'/tmp' is no verb: " VERBS "; try 'heaptap report /tmp'", 2},
		{"nosuchword", "'nosuchword' is no verb: " VERBS "; try 'heaptap --help'", 2},
		{"-p 1234", "no verb before '-p': " VERBS "; try 'heaptap record -p 1234'", 2},
		{"--pid=1234", "no verb before '--pid=1234': " VERBS "; try 'heaptap record --pid=1234'", 2},
		{"-d 5 -- ls", "no verb before '-d': " VERBS "; try 'heaptap record -d 5 -- ls'", 125},
		{"-- ls", "no verb before '--': " VERBS "; try 'heaptap record -- ls'", 125},
		{"--base a b", "no verb before '--base': " VERBS "; try 'heaptap report --base a b'", 2},
		{"-Z", "no verb before '-Z': " VERBS "; try 'heaptap --help'", 2},
		{"--hlep", "no verb before '--hlep': " VERBS "; did you mean '--help'?", 2},
		{"help recrod", "'recrod' is no verb: " VERBS "; try 'heaptap --help'", 2},
	};

	CHECK(*state, mistakes);
}

#define PROCESS "follows no option: -p names a process"
#define COMMAND PROCESS ", '--' begins a COMMAND"

static void test_mistakes_about_the_target(void **state)
{
	static const struct mistake mistakes[] = {
		{"record",
		 "no target: name one with '-p PID', '-p NAME', '--container NAME', '--cgroup PATH', '--all' or "
		 "'-- COMMAND'; try 'heaptap record --help'",
		 2},
		{"record 1234", "'1234' " PROCESS "; try 'heaptap record -p 1234'", 2},
		{"record -d 5m 1234", "'1234' " PROCESS "; try 'heaptap record -d 5m -p 1234'", 2},
		{"record --follow 1234", "'1234' " PROCESS "; try 'heaptap record --follow -p 1234'", 2},
		{"doctor 1234", "'1234' " PROCESS "; try 'heaptap doctor -p 1234'", 2},
		{"record ./prog", "'./prog' " COMMAND "; try 'heaptap record -- ./prog'", 2},
		{"record -R 64K prog a b", "'prog' " COMMAND "; try 'heaptap record -R 64K -- prog a b'", 2},
		{"record prog it's $HOME", "'prog' " COMMAND "; try 'heaptap record -- prog \"it's\" \"\\$HOME\"'", 2},
		{"record ls -- -l", "'ls' " COMMAND "; try 'heaptap record -- ls -- -l'", 125},
		{"doctor ls -l", "'ls' " COMMAND "; try 'heaptap doctor -- ls -l'", 2},
		{"record -p 1 30",
		 "'30' follows no option: process numbers are joined by commas, a time follows -d; try 'heaptap record --help'",
		 2},
		{"record -p 1 ls",
		 "'ls' follows no option, and '-p' names the target already; try 'heaptap record --help'", 2},
		{"record --all ls",
		 "'ls' follows no option, and '--all' names the target already; try 'heaptap record --help'", 2},
		{"record --container web x",
		 "'x' follows no option, and '--container' names the target already; try 'heaptap record --help'", 2},
		{"record -p 1 -- ls", "'-p' and COMMAND 'ls' are two targets: name one; try 'heaptap record --help'",
		 125},
		{"record -p", "option '-p' needs an argument; try 'heaptap record --help'", 2},
		{"record -p -d 5",
		 "'-d' in '-p' is no process: perhaps pidof or pgrep found none; try 'heaptap record --help'", 2},
		{"record -p ''",
		 "'' in '-p' is no process: perhaps pidof or pgrep found none; try 'heaptap record --help'", 2},
		{"record -p 0", "'0' in '-p' is not a process number; try 'heaptap record --help'", 2},
		{"record --", "no COMMAND behind '--'; try 'heaptap record --help'", 2},
		{"record -o -- ls", "option '-o' needs an argument; try 'heaptap record --help'", 125},
	};

	CHECK(*state, mistakes);
}

static void test_mistakes_in_options(void **state)
{
	static const struct mistake mistakes[] = {
		{"record --folow -- ls", "unknown option '--folow'; did you mean '--follow'?", 125},
		{"record --duratoin 5 -p 1", "unknown option '--duratoin'; did you mean '--duration'?", 2},
		{"record --output-dir=x -p 1", "unknown option '--output-dir'; did you mean '--output'?", 2},
		{"record --sample-byte5 1 -p 1", "unknown option '--sample-byte5'; did you mean '--sample-bytes'?", 2},
		{"report --lifetime-table x", "unknown option '--lifetime-table'; did you mean '--lifetimes'?", 2},
		{"report --lifetims x", "unknown option '--lifetims'; did you mean '--lifetimes'?", 2},
		{"record --zz -p 1", "unknown option '--zz'; try 'heaptap record --help'", 2},
		{"record -Z -p 1", "unknown option '-Z'; try 'heaptap record --help'", 2},
		{"record -follow -p 1", "'-follow' has one dash too few; did you mean '--follow'?", 2},
		{"record -duration=5 -p 1", "'-duration=5' has one dash too few; did you mean '--duration=5'?", 2},
		{"record --al -p 1", "'--al' may be --all, --alloc, --alloc-only; try 'heaptap record --help'", 2},
		{"record --dur", "option '--duration' needs an argument; try 'heaptap record --help'", 2},
		{"record --force=yes -p 1", "option '--force' takes no argument; try 'heaptap record --help'", 2},
		{"report -p 1234",
		 "'-p' is an option of record, doctor, top, serve and push, not of report; try 'heaptap report --help'",
		 2},
		{"record --lifetimes -p 1",
		 "'--lifetimes' is an option of report, not of record; try 'heaptap record --help'", 2},
		{"doctor -d 5 -p 1",
		 "'-d' is an option of record, top, serve and push, not of doctor; try 'heaptap doctor --help'", 2},
	};

	CHECK(*state, mistakes);
}

#define TIME  "time: seconds, or numbers with d, h, m, s or ms, as 90s or 1h30m; try 'heaptap record --help'"
#define BYTES "number of bytes: digits, or digits with K, M or G, as 64K or 0.5M; try 'heaptap record --help'"

static void test_mistakes_in_arguments(void **state)
{
	static const struct mistake mistakes[] = {
		{"record -d 5min -p 1", "'-d 5min' is no " TIME, 2},
		{"record -d 30m1h -p 1", "'-d 30m1h' is no " TIME, 2},
		{"record -d 1h30 -p 1", "'-d 1h30' is no " TIME, 2},
		{"record -d -p 1", "'-d -p' is no " TIME, 2},
		{"record --interval x -p 1", "'--interval x' is no " TIME, 2},
		{"record -d 0s -p 1", "'-d 0s' must be more than 0 seconds; try 'heaptap record --help'", 2},
		{"record -d 99999d -p 1",
		 "'-d 99999d' is too long (at most 1000000000 seconds); try 'heaptap record --help'", 2},
		{"record -R 64Kb/s -p 1", "'-R 64Kb/s' is no " BYTES, 2},
		{"record -R 1T -p 1", "'-R 1T' is no " BYTES, 2},
		{"record -R 1.5 -p 1", "'-R 1.5' is no " BYTES, 2},
		{"record -R 0 -p 1",
		 "'-R 0' must be at least 1, which takes every allocation; try 'heaptap record --help'", 2},
		{"record -R 4GiB -p 1", "'-R 4GiB' is too large (at most 4294967295); try 'heaptap record --help'", 2},
		{"record -f xml -p 1",
		 "unknown format 'xml' (pprof, text, folded, json or all); try 'heaptap record --help'", 2},
		{"report -n 0 x", "'-n 0' is not a number of sites from 1 to 4294967295; try 'heaptap report --help'",
		 2},
		{"record --gogc 50% -p 1",
		 "'--gogc 50%' is neither a percentage from 1 to 1000000 nor off; try 'heaptap record --help'", 2},
	};

	CHECK(*state, mistakes);
}

/* A line too long to be read gets no suggestion, and no half of one. */
static void test_mistakes_in_long_lines_point_to_help(void **state)
{
	struct scene *scene = *state;
	char line[1024];

	snprintf(line, sizeof(line), "record prog %0500d", 7);
	parse(scene, line);
	assert_string_equal(scene->err_text, "heaptap: 'prog' " COMMAND "; try 'heaptap record --help'\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mistakes_in_the_verb),
		TEST(test_mistakes_about_the_target),
		TEST(test_mistakes_in_options),
		TEST(test_mistakes_in_arguments),
		TEST(test_mistakes_in_long_lines_point_to_help),
	};

	return cmocka_run_group_tests_name("cli_mistakes", tests, NULL, NULL);
}
