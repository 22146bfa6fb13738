/* SPDX-License-Identifier: GPL-2.0-or-later */
/* language_runtime.c: which files are runtimes of languages, by their names and on real programs. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binary/language_runtime.h"

static void assert_runtime(const char *path, const char *name)
{
	const struct language_runtime *runtime = language_runtime_of_path(path);

	if (!runtime || strcmp(runtime->name, name))
		fail_msg("'%s' is %s, not %s", path, runtime ? runtime->name : "nothing known", name);
}

static void test_runtimes_are_known_by_the_names_of_files(void **state)
{
	(void)state;
	assert_runtime("/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so", "a Java virtual machine");
	assert_runtime("/usr/local/bin/node", "Node.js");
	assert_runtime("/usr/lib/x86_64-linux-gnu/libnode.so.108", "Node.js");
	assert_runtime("/usr/bin/python3.11", "Python");
	assert_runtime("/usr/lib/libpython3.13.so.1.0", "Python");
	assert_runtime("/usr/lib/erlang/erts-13.1.5/bin/beam.smp", "an Erlang virtual machine");
	assert_runtime("/usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.1/libcoreclr.so", ".NET");
	assert_runtime("/usr/sbin/php-fpm8.2", "PHP");
	assert_runtime("/usr/bin/php8.2", "PHP");
	assert_runtime("/usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1", "Ruby");
}

static void test_other_files_are_no_runtimes(void **state)
{
	static const char *const paths[] = {"/usr/bin/nodemon-exporter",
					    "/opt/python3.11/bin/server",
					    "/lib/libc.so.6",
					    "/usr/bin/python3.11-config",
					    "[vdso]",
					    "",
					    "/home/node/app"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (language_runtime_of_path(paths[i]))
			fail_msg("'%s' is taken for %s", paths[i], language_runtime_of_path(paths[i])->name);
}

static const struct language_runtime *runtime_of_program(const char *path)
{
	const struct language_runtime *runtime;
	struct elf *elf;

	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	runtime = language_runtime_of_program(elf);
	elf_free(elf);
	return runtime;
}

/* Go's own command is written in Go. */
static void test_programs_of_go_are_known_by_a_section(void **state)
{
	const char *go = realpath("/usr/bin/go", NULL);

	(void)state;
	assert_non_null(go);
	assert_non_null(runtime_of_program(go));
	assert_string_equal(runtime_of_program(go)->name, "a Go program");
	assert_null(runtime_of_program("/proc/self/exe"));
	free((char *)go);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runtimes_are_known_by_the_names_of_files),
		cmocka_unit_test(test_other_files_are_no_runtimes),
		cmocka_unit_test(test_programs_of_go_are_known_by_a_section),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
