/* SPDX-License-Identifier: GPL-2.0-or-later */
/* go_sites.c: the stack guards of real functions, and whose code is not trusted. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "probe/go_sites.h"

/* runtime.setprofilebucket and runtime.freeSpecial as Go 1.19.8 and 1.24.4 build them; a function with a near branch. */
static const u8 far_19[] = {0x49, 0x3b, 0x66, 0x10, 0x0f, 0x86, 0x80, 0x00, 0x00, 0x00, 0x48, 0x83, 0xec, 0x28};
static const u8 far_24[] = {0x49, 0x3b, 0x66, 0x10, 0x0f, 0x86, 0x3d, 0x02, 0x00, 0x00, 0x55, 0x48, 0x89, 0xe5};
static const u8 near_24[] = {0x49, 0x3b, 0x66, 0x10, 0x76, 0x2a, 0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x18};

static void test_go_guard_has_its_branch_behind_the_comparison(void **state)
{
	(void)state;
	assert_int_equal(go_guard_branch(far_19, sizeof(far_19)), 4);
	assert_int_equal(go_guard_branch(far_24, sizeof(far_24)), 4);
	assert_int_equal(go_guard_branch(near_24, sizeof(near_24)), 4);
}

static void test_go_guard_that_is_none_is_not_taken_for_one(void **state)
{
	/* push %rbp first; cmp 0x18(%r14),%rsp; another branch behind the comparison. */
	static const u8 plain[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x20, 0x90, 0x90};
	static const u8 other_field[] = {0x49, 0x3b, 0x66, 0x18, 0x76, 0x2a, 0x55, 0x48, 0x89, 0xe5};
	static const u8 other_branch[] = {0x49, 0x3b, 0x66, 0x10, 0x0f, 0x87, 0x80, 0x00, 0x00, 0x00};

	(void)state;
	assert_int_equal(go_guard_branch(plain, sizeof(plain)), 0);
	assert_int_equal(go_guard_branch(other_field, sizeof(other_field)), 0);
	assert_int_equal(go_guard_branch(other_branch, sizeof(other_branch)), 0);
	assert_int_equal(go_guard_branch(far_19, 9), 0);
}

/* The programs of the fuzzer's corpus are Go's by their tables, but have no such functions. */
static void test_go_program_without_these_functions_is_refused(void **state)
{
	const struct go_module nowhere = {0};
	struct go_lines *lines;
	struct go_image image;
	struct go_sites sites;
	struct elf *elf;

	(void)state;
	assert_int_equal(elf_open(open(SOURCE_DIR "/tests/fuzz/corpus/fuzz_go/go1_24", O_RDONLY), "go1_24", &elf), 0);
	assert_int_equal(go_image_read(elf, &image), 0);
	assert_int_equal(go_lines_open(elf, &image, &nowhere, &lines), 0);
	assert_int_equal(go_sites_find(elf, &image, lines, &sites), -ENOENT);
	image.minor = 28;
	assert_int_equal(go_sites_find(elf, &image, lines, &sites), -ENOTSUP);
	go_lines_free(lines);
	elf_free(elf);
}

/* Of the fuzzer's corpus, which has the functions' real code at these places in its files. */
static int find_in(const char *name, struct go_sites *ret_sites)
{
	char path[PATH_MAX];
	struct go_lines *lines;
	struct go_image image;
	struct elf *elf;
	int err;

	snprintf(path, sizeof(path), SOURCE_DIR "/tests/fuzz/corpus/fuzz_go/%s", name);
	assert_int_equal(elf_open(open(path, O_RDONLY), name, &elf), 0);
	assert_int_equal(go_image_read(elf, &image), 0);
	assert_int_equal(go_lines_open(elf, &image, &(struct go_module){.text = 0x401000}, &lines), 0);
	err = go_sites_find(elf, &image, lines, ret_sites);
	go_lines_free(lines);
	elf_free(elf);
	return err;
}

static void test_go_sites_are_the_branches_of_both_guards(void **state)
{
	struct go_sites sites;

	(void)state;
	assert_int_equal(find_in("go1_19_ages", &sites), 0);
	assert_int_equal(sites.born, 0x2000 + 4);
	assert_int_equal(sites.died, 0x20c0 + 4);
	assert_int_equal(sites.kind, 2);
	assert_int_equal(find_in("go1_24_ages", &sites), 0);
	assert_int_equal(sites.born, 0x2000 + 4);
	assert_int_equal(sites.died, 0x20c0 + 4);
	assert_int_equal(sites.kind, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_go_guard_has_its_branch_behind_the_comparison),
		cmocka_unit_test(test_go_guard_that_is_none_is_not_taken_for_one),
		cmocka_unit_test(test_go_program_without_these_functions_is_refused),
		cmocka_unit_test(test_go_sites_are_the_branches_of_both_guards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
