/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loader_list.c: what this machine's own programs will map. */
#include "opened.h"

static void test_loader_list_open_dynamic_program_finds_its_libc(void **state)
{
	(void)state;
	assert_int_equal(loader_list_open(binaries, "/bin/sh"), 0);
	assert_true(file_count() >= 3); /* the program, its loader, libc */
	assert_int_equal(the_allocator()->allocator, 0);
	assert_string_equal(the_allocator()->plan->name, "glibc");
	assert_non_null(strstr(binaries_names(binaries), "/bin/sh"));
	assert_non_null(strstr(binaries_names(binaries), "libc.so"));
}

/* As /usr/bin/java is: what lies beside the program is found although the name is elsewhere. */
static void test_loader_list_open_link_to_a_program_finds_what_is_beside_the_file(void **state)
{
	static const char build[] =
		"mkdir there && echo 'void own(void) {}' | gcc -xc - -shared -o there/libown.so &&"
		"echo 'void own(void); int main(void) { own(); }' |"
		"gcc -xc - -Lthere -lown -Wl,-rpath,'$ORIGIN' -o there/program && ln -s there/program link";

	(void)state;
	assert_int_equal(system(build), 0);
	assert_int_equal(loader_list_open(binaries, "link"), 0);
	the_allocator();
	assert_non_null(strstr(binaries_names(binaries), "libown.so"));
}

static void test_loader_list_open_again_opens_nothing_more(void **state)
{
	u32 count;

	(void)state;
	assert_int_equal(loader_list_open(binaries, "/bin/sh"), 0);
	count = file_count();
	assert_int_equal(loader_list_open(binaries, "/bin/sh"), 0);
	assert_int_equal(file_count(), count);
}

static void test_loader_list_open_scripts_are_followed_to_their_interpreter(void **state)
{
	char first_line[PATH_MAX + 16];

	(void)state;
	scratch_file("script", "#! /bin/sh -e\nexit 0\n", 0755);
	assert_int_equal(loader_list_open(binaries, "./script"), 0);
	the_allocator();
	binaries_free(binaries);
	binaries = binaries_new(NULL, false);
	snprintf(first_line, sizeof(first_line), "#!%s/script\n", scratch_path);
	scratch_file("outer", first_line, 0755);
	assert_int_equal(loader_list_open(binaries, "./outer"), 0);
	the_allocator();
}

static void test_loader_list_open_script_that_is_its_own_interpreter_ends(void **state)
{
	char first_line[PATH_MAX + 16];

	(void)state;
	snprintf(first_line, sizeof(first_line), "#!%s/loop\n", scratch_path);
	scratch_file("loop", first_line, 0755);
	assert_true(loader_list_open(binaries, "./loop") < 0);
}

static void test_loader_list_open_odd_first_lines_do_no_harm(void **state)
{
	static const char *const lines[] = {"#!/no/such/interpreter\n", "#!  \t /"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		scratch_file("odd", lines[i], 0755);
		assert_true(loader_list_open(binaries, "./odd") < 0);
	}
	assert_int_equal(file_count(), 0);
}

/* As execvp has it: the shell runs what the kernel does not know. */
static void test_loader_list_open_without_an_interpreter_it_is_the_shell(void **state)
{
	static const char *const lines[] = {"exit 0\n",
					    "#!",
					    "#! \n",
					    "#!\n",
					    "#",
					    "",
					    "\x7f"
					    "EL"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		scratch_file("odd", lines[i], 0755);
		assert_int_equal(loader_list_open(binaries, "./odd"), 0);
		the_allocator();
		binaries_free(binaries);
		binaries = binaries_new(NULL, false);
	}
}

static void test_loader_list_open_missing_is_an_error(void **state)
{
	static char endless[PATH_MAX + 1];

	(void)state;
	assert_int_equal(loader_list_open(binaries, "./missing"), -ENOENT);
	memset(endless, 'x', PATH_MAX);
	assert_int_equal(loader_list_open(binaries, endless), -ENAMETOOLONG);
}

static void test_loader_list_open_leaves_no_child_behind(void **state)
{
	(void)state;
	assert_int_equal(loader_list_open(binaries, "/bin/sh"), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_loader_list_open_dynamic_program_finds_its_libc),
		TEST(test_loader_list_open_link_to_a_program_finds_what_is_beside_the_file),
		TEST(test_loader_list_open_again_opens_nothing_more),
		TEST(test_loader_list_open_scripts_are_followed_to_their_interpreter),
		TEST(test_loader_list_open_script_that_is_its_own_interpreter_ends),
		TEST(test_loader_list_open_odd_first_lines_do_no_harm),
		TEST(test_loader_list_open_without_an_interpreter_it_is_the_shell),
		TEST(test_loader_list_open_missing_is_an_error),
		TEST(test_loader_list_open_leaves_no_child_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
