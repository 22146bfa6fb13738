/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `-R 1` equals the shim's log of the same run: on our own corner cases, and on three real programs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "e2e/kit/exact.h"

static void test_command_all_functions_equals_shim(void **state)
{
	exact_command(*state, NULL, (const char *const[]){beside("target_functions"), NULL});
}

static void test_attach_all_functions_equals_shim(void **state)
{
	exact_attach(*state, NULL, (const char *const[]){beside("target_functions"), NULL});
}

static void test_command_threads_equals_shim(void **state)
{
	exact_command(*state, NULL, (const char *const[]){beside("target_threads"), NULL});
}

static void test_attach_threads_equals_shim(void **state)
{
	exact_attach(*state, NULL, (const char *const[]){beside("target_threads"), NULL});
}

static void test_command_cxx_equals_shim(void **state)
{
	exact_command(*state, NULL, (const char *const[]){beside("target_cxx"), NULL});
}

static void test_attach_cxx_equals_shim(void **state)
{
	exact_attach(*state, NULL, (const char *const[]){beside("target_cxx"), NULL});
}

static void test_command_sqlite_equals_shim(void **state)
{
	static const char script[] = "create table t(id integer primary key, name text, weight real);"
				     "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)"
				     " insert into t select i, 'name ' || (i * 7919 % 5000), i / 3.0 from n;"
				     "create index by_name on t(name);"
				     "select count(distinct name), sum(weight) from t where name like '%9%';";
	struct scene *scene = *state;

	exact_command(scene, NULL,
		      (const char *const[]){"/usr/bin/sqlite3", format("%s/db", scene->dir), script, NULL});
}

static void test_command_perl_equals_shim(void **state)
{
	static const char script[] = "my %h; for my $i (1 .. 20000) { $h{$i % 1000} .= \"x$i\"; }"
				     " my @l = sort { $h{$a} cmp $h{$b} } keys %h; print scalar(@l), \"\\n\";";

	exact_command(*state, NULL, (const char *const[]){"/usr/bin/perl", "-e", script, NULL});
}

static void test_command_python_equals_shim(void **state)
{
	static const char script[] =
		"import json\n"
		"rows = [{'id': i, 'name': 'n%d' % i, 'tags': list(range(i % 9))} for i in range(5000)]\n"
		"text = json.dumps(rows)\n"
		"assert json.loads(text) == rows\n";

	/* The shim sees libc's functions only. */
	setenv("PYTHONMALLOC", "malloc", 1);
	exact_command(*state, NULL, (const char *const[]){"/usr/bin/python3", "-c", script, NULL});
	unsetenv("PYTHONMALLOC");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_command_all_functions_equals_shim), TEST(test_attach_all_functions_equals_shim),
		TEST(test_command_threads_equals_shim),	      TEST(test_attach_threads_equals_shim),
		TEST(test_command_cxx_equals_shim),	      TEST(test_attach_cxx_equals_shim),
		TEST(test_command_sqlite_equals_shim),	      TEST(test_command_perl_equals_shim),
		TEST(test_command_python_equals_shim),
	};

	return cmocka_run_group_tests_name("exact", tests, NULL, NULL);
}
