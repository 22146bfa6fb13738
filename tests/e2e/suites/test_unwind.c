/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks, call for call, against libunwind in the same run: of programs built without frame pointers, of Debian's own,
 * and of everything that makes a stack hard to walk. The target must not notice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "profile/profile.h"
#include "format/pprof_read.h"
#include "e2e/kit/truestack.h"

static void test_c_by_gcc_equals_libunwind(void **state)
{
	stacks_command(*state, (const char *const[]){beside("target_unwind_c"), NULL});
}

static void test_c_by_clang_equals_libunwind(void **state)
{
	stacks_command(*state, (const char *const[]){beside("target_unwind_c_clang"), NULL});
}

static void test_cxx_by_gcc_equals_libunwind(void **state)
{
	stacks_command(*state, (const char *const[]){beside("target_unwind_cxx"), NULL});
}

static void test_cxx_by_clang_equals_libunwind(void **state)
{
	stacks_command(*state, (const char *const[]){beside("target_unwind_cxx_clang"), NULL});
}

#ifdef WITH_RUST
static bool has_function(const struct profile *profile, const char *function)
{
	for (u32 i = 0; i < profile->location_count; i++)
		for (u32 j = 0; j < profile->locations[i].line_count; j++)
			if (!strcmp(profile->locations[i].lines[j].function, function))
				return true;
	return false;
}

/* Its names, too, are those that its source has: of functions, of methods of a trait, of closures. */
static void test_rust_equals_libunwind(void **state)
{
	struct scene *scene = *state;
	struct profile *profile;
	cJSON *index;

	stacks_command(scene, (const char *const[]){beside("target_unwind_rust"), NULL});
	index = session_index(&scene->session);
	assert_int_equal(
		pprof_read(index_file(&scene->session, index_process(index, "target_unwind_rust"), ".pb.gz"), &profile),
		0);
	assert_true(has_function(profile, "target_unwind_rust::panic_through"));
	assert_true(has_function(profile, "<target_unwind_rust::Mapping as target_unwind_rust::Shape>::act"));
	assert_true(has_function(profile, "target_unwind_rust::main::{{closure}}::{{closure}}"));
	profile_free(profile);
	cJSON_Delete(index);
}
#endif

static void test_static_equals_unwinder(void **state)
{
	stacks_static(*state, "target_unwind_c_static");
}

static void test_static_pie_equals_unwinder(void **state)
{
	stacks_static(*state, "target_unwind_c_static_pie");
}

/* --- real programs --- */

static void test_python_equals_libunwind(void **state)
{
	static const char script[] =
		"import json\n"
		"rows = [{'id': i, 'name': 'n%d' % i, 'tags': list(range(i % 9))} for i in range(300)]\n"
		"text = json.dumps(rows)\n"
		"assert json.loads(text) == rows\n"
		"def deep(n): return [n] if n == 0 else [len(deep(n - 1))]\n"
		"for i in range(20): deep(i)\n"
		"print(len(text), sorted(rows, key=lambda row: row['name'])[3]['id'])\n";

	/* Without its own cache of small objects. */
	setenv("PYTHONMALLOC", "malloc", 1);
	stacks_command(*state, (const char *const[]){"/usr/bin/python3", "-S", "-c", script, NULL});
	unsetenv("PYTHONMALLOC");
}

static void test_perl_equals_libunwind(void **state)
{
	static const char script[] =
		"use strict; use POSIX; my %h; for my $i (1 .. 9000) { $h{$i % 1000} .= 'x' x ($i % 90); }"
		"sub deep { my $n = shift; my @a = (1 .. $n + 20); return $n ? deep($n - 1) + @a : 0 }"
		"my $s = 0; $s += deep($_) for 1 .. 40;"
		"my @l = sort { $h{$a} cmp $h{$b} } sort keys %h; my $t = join ',', @l;"
		"$t =~ s/(\\d+),(\\d+)/$2 . ':' . $1/ge; eval \"sub { $_ }\"  for 1 .. 300;"
		"print scalar(@l), ' ', length($t), \" $s\\n\";";

	stacks_command(*state, (const char *const[]){"/usr/bin/perl", "-e", script, NULL});
}

static void test_sqlite_equals_libunwind(void **state)
{
	static const char script[] =
		"create table t(id integer primary key, name text, weight real);"
		"with recursive n(i) as (select 1 union all select i + 1 from n where i < 9000)"
		" insert into t select i, 'name ' || (i * 7919 % 9000), i / 3.0 from n;"
		"create index by_name on t(name);"
		"select count(distinct name), sum(weight) from t where name like '%9%';"
		"select group_concat(name) from (select name from t order by weight desc limit 500);"
		"select upper(name) || printf('%.3f', weight) from t order by name limit 9000;"
		"select a.id, replace(a.name, 'n', 'nn') from t a join t b on a.name = b.name limit 9000;";

	stacks_command(*state, (const char *const[]){"/usr/bin/sqlite3", ":memory:", script, NULL});
}

/* A repository of its own, made without heaptap; its history read under it. */
static void test_git_equals_libunwind(void **state)
{
	static const char script[] =
		"cd \"$0\" && export HOME=\"$0\" GIT_CONFIG_NOSYSTEM=1 && git init -q repository && cd repository &&"
		"git config user.name nobody && git config user.email nobody@localhost && git config gc.auto 0 &&"
		"i=0; while [ $i -lt 100 ]; do i=$((i + 1)); mkdir -p d$((i % 7));"
		"seq $i 5 $((i * 30)) >d$((i % 7))/f$((i % 11)); git add -A && git commit -q -m \"commit $i\" || exit "
		"1; done";
	struct scene *scene = *state;

	scene->target.pid = child_start(&(struct child_launch){
		(const char *const[]){"/bin/sh", "-c", script, scene->dir, NULL}, NULL, -1, -1, -1, 0});
	assert_int_equal(target_finish(&scene->target), 0);
	stacks_command(scene, (const char *const[]){"/usr/bin/git", "-c", "safe.directory=*", "--no-pager", "-C",
						    format("%s/repository", scene->dir), "log", "-p", "--stat", "-M",
						    "--all", NULL});
}

/* --- a server --- */

/* Reads what the server says; when it says that it is ready, gives it something to do, and then ends it. */
static void drive_redis(struct scene *scene, const char *words, const char *socket)
{
	static const char script[] =
		"exec <\"$0\" && sed '/[Rr]eady to accept/q' >/dev/null;"
		"{ i=0; while [ $i -lt 1000 ]; do i=$((i + 1)); echo \"set key:$i value-$i-with-a-tail\"; echo \"rpush "
		"list $i\";"
		"echo \"hset hash:$((i % 9)) field:$i $i\"; echo \"zadd sorted $i member:$i\"; echo \"sadd set "
		"member:$i\"; done;"
		"echo 'eval \"local t = {} for i = 1, 400 do t[i] = tostring(i) .. redis.call(\\\"get\\\", "
		"\\\"key:\\\" .. i) end"
		" return #t\" 0'; echo 'sort list desc'; echo 'keys *'; echo info; } | redis-cli -s \"$1\" >/dev/null;"
		"redis-cli -s \"$1\" shutdown nosave; cat >/dev/null";

	scene->target.pid = child_start(&(struct child_launch){
		(const char *const[]){"/bin/sh", "-c", script, words, socket, NULL}, NULL, -1, -1, -1, 0});
}

static const cJSON *process_by_exe(const cJSON *index, const char *exe)
{
	const cJSON *entry, *found = NULL;

	cJSON_ArrayForEach (entry, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "exe"));

		if (name && !strcmp(name, exe))
			found = entry;
	}
	assert_non_null(found);
	return found;
}

/*
 * The shim is also in front of the allocator that redis brings: its memory comes from libc. The program lies
 * in redis-tools; the package with its second name would start a server of its own when installed.
 */
static void test_redis_equals_libunwind(void **state)
{
	struct scene *scene = *state;
	const char *socket = format("%s/socket", scene->dir), *program = format("%s/redis-server", scene->dir);
	const char *output = format("%s/traced", scene->dir);
	const char *const words[] = {program, "--port", "0",	    "--unixsocket", socket, "--save",
				     "",      "--dir",	scene->dir, "--logfile",    "",	    NULL};
	cJSON *index;

	assert_int_equal(symlink("/usr/bin/redis-check-rdb", program), 0);
	assert_int_equal(mkfifo(output, 0600), 0);
	stacks_start(scene, output, words);
	drive_redis(scene, output, socket);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(target_finish(&scene->target), 0);
	index = session_index(&scene->session);
	stacks_assert_true(scene, "redis-server", process_by_exe(index, "/usr/bin/redis-check-rdb"));
	cJSON_Delete(index);
}

/* --- what is hard on a stack --- */

static void test_signal_handler_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_scenes", "signal", 99);
}

static void test_alternate_stack_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_scenes", "altstack", 99);
}

static void test_longjmp_out_of_handler_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_scenes", "longjmp", 99);
}

static void test_longjmp_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_scenes", "jump", 99);
}

static void test_exception_through_frames_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_throw", "throw", 99);
}

static void test_exception_thrown_on_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_throw", "rethrow", 99);
}

static void test_exception_after_main_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_throw", "exit", 99);
}

static void test_thread_local_destructor_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_throw", "thread-local", 99);
}

static void test_thread_key_destructor_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_scenes", "thread-end", 99);
}

static void test_alloca_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_scenes", "alloca", 99);
}

/* 100 to 399 frames: the root is missing from most of them, and that is counted. */
static void test_deep_recursion_cut_and_counted(void **state)
{
	stacks_scene(*state, "target_unwind_scenes", "deep", 5);
}

static void test_ucontext_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_scenes", "ucontext", 99);
}

static void test_realigned_stack_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_scenes", "realign", 99);
}

static void test_vfork_right_or_counted(void **state)
{
	stacks_scene(*state, "target_unwind_scenes", "vfork", 99);
}

static void test_cf_protection_right_or_counted(void **state)
{
	static const char *const names[] = {"signal", "realign", "jump", "ucontext"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		scene_teardown(state);
		scene_setup(state);
		stacks_scene(*state, "target_unwind_scenes_cet", names[i], 99);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_c_by_gcc_equals_libunwind),
		TEST(test_c_by_clang_equals_libunwind),
		TEST(test_cxx_by_gcc_equals_libunwind),
		TEST(test_cxx_by_clang_equals_libunwind),
#ifdef WITH_RUST
		TEST(test_rust_equals_libunwind),
#endif
		TEST(test_static_equals_unwinder),
		TEST(test_static_pie_equals_unwinder),
		TEST(test_python_equals_libunwind),
		TEST(test_perl_equals_libunwind),
		TEST(test_sqlite_equals_libunwind),
		TEST(test_git_equals_libunwind),
		TEST(test_redis_equals_libunwind),
		TEST(test_signal_handler_right_or_counted),
		TEST(test_alternate_stack_right_or_counted),
		TEST(test_longjmp_out_of_handler_right_or_counted),
		TEST(test_longjmp_right_or_counted),
		TEST(test_exception_through_frames_right_or_counted),
		TEST(test_exception_thrown_on_right_or_counted),
		TEST(test_exception_after_main_right_or_counted),
		TEST(test_thread_local_destructor_right_or_counted),
		TEST(test_thread_key_destructor_right_or_counted),
		TEST(test_alloca_right_or_counted),
		TEST(test_deep_recursion_cut_and_counted),
		TEST(test_ucontext_right_or_counted),
		TEST(test_realigned_stack_right_or_counted),
		TEST(test_vfork_right_or_counted),
		TEST(test_cf_protection_right_or_counted),
	};

	return cmocka_run_group_tests_name("unwind", tests, NULL, NULL);
}
