/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `-R 1` equals the shim's log of the same run, on many programs of this machine, each doing a little of what it is for. Those of
 * test_exact do more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "e2e/kit/exact.h"

#define WORDS_MAX 8

static const char *const coreutils[][WORDS_MAX] = {
	{"/usr/bin/sort", "-r", "/etc/passwd"},
	{"/usr/bin/ls", "-lR", "/etc/apt"},
	{"/usr/bin/tac", "/etc/passwd"},
	{"/usr/bin/od", "-c", "/etc/passwd"},
	{"/usr/bin/join", "-t:", "/etc/passwd", "/etc/passwd"},
	{"/usr/bin/factor", "1000000016000000063"},
	{"/usr/bin/sha256sum", "/etc/passwd"},
	{"/usr/bin/base64", "/etc/passwd"},
	{"/usr/bin/stat", "/etc/passwd"},
	{"/usr/bin/du", "/etc/apt"},
	{"/usr/bin/tsort", "/dev/null"},
	{"/usr/bin/pr", "/etc/passwd"},
	{"/usr/bin/date", "+%A %B %c"},
	{"/usr/bin/numfmt", "--to=iec", "123456789"},
};

static const char *const tools[][WORDS_MAX] = {
	{"/usr/bin/grep", "-E", "^(ro+t|bin).*$", "/etc/passwd"},
	{"/usr/bin/sed", "s/[a-z]*:/X/g", "/etc/passwd"},
	{"/usr/bin/awk", "-F:", "{ n[$1] = $0 } END { for (k in n) print n[k] }", "/etc/passwd"},
	{"/usr/bin/find", "/etc/apt", "-name", "*.conf"},
	{"/usr/bin/tar", "-cf", "/dev/null", "/etc/apt"},
	{"/usr/bin/xz", "-c", "/etc/passwd"},
	{"/usr/bin/diff", "/etc/passwd", "/etc/passwd"},
	{"/usr/bin/bash", "-c", "for i in {1..200}; do a[$i]=x$i; done; echo ${#a[@]}"},
	{"/usr/bin/dash", "-c", "i=0; while [ $i -lt 200 ]; do i=$((i+1)); set -- \"$@\" x$i; done; echo $#"},
	{"/usr/bin/ps", "-e"},
	{"/usr/bin/git", "--no-pager", "config", "--list", "--file", "/dev/null"},
	{"/usr/bin/make", "--version"},
	{"/usr/bin/getconf", "-a"},
	{"/usr/bin/locale", "-a"},
	{"/usr/bin/iconv", "-l"},
};

static const char *const binutils[][WORDS_MAX] = {
	{"/usr/bin/readelf", "-aW", "/usr/bin/dash"},	 {"/usr/bin/objdump", "-h", "/usr/bin/dash"},
	{"/usr/bin/nm", "-D", "/usr/bin/dash"},		 {"/usr/bin/size", "/usr/bin/dash"},
	{"/usr/bin/strings", "/usr/bin/dash"},		 {"/usr/bin/c++filt", "_ZNSt6vectorIiSaIiEE9push_backERKi"},
	{"/usr/bin/as", "-o", "/dev/null", "/dev/null"},
};

static void run_all(struct scene *scene, const char *const (*commands)[WORDS_MAX], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		print_message("%s\n", commands[i][0]);
		exact_command(scene, NULL, commands[i]);
	}
}

#define RUN(commands) run_all(*state, commands, sizeof(commands) / sizeof(*(commands)))

static void test_programs_of_coreutils_equal_shim(void **state)
{
	RUN(coreutils);
}

static void test_tools_equal_shim(void **state)
{
	RUN(tools);
}

static void test_programs_of_binutils_equal_shim(void **state)
{
	RUN(binutils);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_programs_of_coreutils_equal_shim),
		TEST(test_tools_equal_shim),
		TEST(test_programs_of_binutils_equal_shim),
	};

	return cmocka_run_group_tests_name("exact_programs", tests, NULL, NULL);
}
