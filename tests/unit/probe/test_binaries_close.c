/* SPDX-License-Identifier: GPL-2.0-or-later */
/* binaries.c: files that are closed and opened again, and their numbers as allocators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "binary/elf.h"
#include "probe/binaries.h"
#include "unit/system/scratch.h"
#include "unit/binary/shell.h"

static struct binaries *binaries;

static int setup(void **state)
{
	binaries = binaries_new(NULL, false);
	return binaries ? scratch_setup(state) : -1;
}

static int teardown(void **state)
{
	binaries_free(binaries);
	return scratch_teardown(state);
}

static struct binary *open_path(const char *path)
{
	struct binary *file = NULL;

	assert_int_equal(binaries_open_path(binaries, path, &file), 0);
	assert_non_null(file);
	return file;
}

static void test_binaries_closed_one_is_opened_again_and_others_stay(void **state)
{
	struct binary *one, *two, *three;

	(void)state;
	one = open_path("/bin/true");
	two = open_path("/bin/false");
	three = open_path("/bin/ls");
	assert_int_equal(binaries_count(binaries), 3);
	binaries_close(binaries, two);
	assert_int_equal(binaries_count(binaries), 2);
	assert_ptr_equal(binaries_files(binaries), three);
	assert_ptr_equal(three->next, one);
	assert_ptr_equal(open_path("/bin/true"), one);
	assert_string_equal(elf_path(open_path("/bin/false")->elf), "/bin/false");
	assert_int_equal(binaries_count(binaries), 3);
	while (binaries_files(binaries))
		binaries_close(binaries, binaries_files(binaries));
	assert_int_equal(binaries_count(binaries), 0);
}

/* What was counted under a number may still be on its way when its file is closed: the next file has another one. */
static void test_binaries_number_of_a_closed_allocator_rests_until_all_others_had_theirs(void **state)
{
	struct binary *file;

	(void)state;
	run("printf '%%s\\n' 'void *mi_malloc(unsigned long n) { return (void *)n; }' 'void mi_free(void *p) { "
	    "(void)p; }' >own.c && gcc -shared -fPIC -O1 -o own.so own.c && cp own.so kept.so");
	file = open_path("kept.so");
	assert_non_null(file->plan);
	assert_int_equal(file->allocator, 0);
	for (u32 i = 1; i <= 2 * ALLOCATORS_MAX; i++) {
		file = open_path("own.so");
		assert_non_null(file->plan);
		/* 0 is taken all the time */
		assert_int_equal(file->allocator, 1 + (i - 1) % (ALLOCATORS_MAX - 1));
		binaries_close(binaries, file);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_binaries_closed_one_is_opened_again_and_others_stay),
		TEST(test_binaries_number_of_a_closed_allocator_rests_until_all_others_had_theirs),
	};

	return cmocka_run_group_tests_name("targetfile", tests, NULL, NULL);
}
