/* SPDX-License-Identifier: GPL-2.0-or-later */
/* breakpoints.c: bytes of code that this test itself changes. Other files may have real ones: only the test's own file counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>

#include "child_process.h"
#include "scratch.h"
#include "system/address_map.h"
#include "system/breakpoints.h"

#define PAGE  4096
#define BYTES (3 * PAGE + 100) /* the last page is not full */

struct seen {
	ino_t inode;
	u64 offsets[8];
	unsigned int count;
	int stop_with;
};

static struct seen seen;

static int see(const struct mapping *mapping, int file, u64 offset, void *arg)
{
	u8 original;

	assert_ptr_equal(arg, &seen);
	if (mapping->inode != seen.inode)
		return 0;
	assert_int_equal(pread(file, &original, 1, (off_t)offset), 1);
	assert_int_not_equal(original, 0xcc);
	assert_true(seen.count < 8);
	seen.offsets[seen.count++] = offset;
	return seen.stop_with;
}

/* A file of nops, with one int3 of its own, mapped as code from `offset` on. */
static u8 *map_code(off_t offset)
{
	static u8 bytes[BYTES];
	int fd = open("code", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	struct stat stat_buffer;
	u8 *code;

	memset(bytes, 0x90, sizeof(bytes));
	bytes[PAGE + 50] = 0xcc;
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(fstat(fd, &stat_buffer), 0);
	code = mmap(NULL, 4 * PAGE - (size_t)offset, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, offset);
	assert_ptr_not_equal(code, MAP_FAILED);
	close(fd);
	seen = (struct seen){.inode = stat_buffer.st_ino};
	return code;
}

static void poke(u8 *at, u8 byte)
{
	u8 *page = (u8 *)((uintptr_t)at & ~(uintptr_t)(PAGE - 1));

	assert_int_equal(mprotect(page, PAGE, PROT_READ | PROT_WRITE), 0);
	*at = byte;
	assert_int_equal(mprotect(page, PAGE, PROT_READ | PROT_EXEC), 0);
}

static void test_breakpoints_untouched_code_has_none(void **state)
{
	volatile u8 *code = map_code(0);

	(void)state;
	(void)code[0];
	assert_int_equal(breakpoints_for_each(getpid(), see, &seen), 0);
	assert_int_equal(seen.count, 0);
}

static void test_breakpoints_are_found_by_their_offset_in_the_file(void **state)
{
	u8 *code = map_code(PAGE);

	(void)state;
	poke(code + 5, 0xcc);
	poke(code + 51, 0xcc);
	poke(code + 2 * PAGE + 99, 0xcc);
	assert_int_equal(breakpoints_for_each(getpid(), see, &seen), 0);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.offsets[0], PAGE + 5);
	assert_int_equal(seen.offsets[1], PAGE + 51);
	assert_int_equal(seen.offsets[2], 3 * PAGE + 99);
}

static void test_breakpoints_page_that_differs_otherwise_has_none(void **state)
{
	u8 *code = map_code(0);

	(void)state;
	poke(code + 5, 0xcc);
	poke(code + 6, 0x91);
	poke(code + PAGE + 5, 0xcc);
	assert_int_equal(breakpoints_for_each(getpid(), see, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.offsets[0], PAGE + 5);
}

static void test_breakpoints_look_stops_when_told(void **state)
{
	u8 *code = map_code(0);

	(void)state;
	poke(code + 5, 0xcc);
	poke(code + PAGE + 5, 0xcc);
	seen.stop_with = 7;
	assert_int_equal(breakpoints_for_each(getpid(), see, &seen), 7);
	assert_int_equal(seen.count, 1);
}

static void test_breakpoints_of_another_process_are_found(void **state)
{
	u8 *code = map_code(0);
	pid_t child;

	(void)state;
	poke(code + 5, 0xcc);
	child = sleeping_child();
	assert_int_equal(breakpoints_for_each(child, see, &seen), 0);
	assert_int_equal(seen.count, 1);
	end_child(child);
	assert_int_equal(breakpoints_for_each(child, see, &seen), -ESRCH);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_breakpoints_untouched_code_has_none),
		TEST(test_breakpoints_are_found_by_their_offset_in_the_file),
		TEST(test_breakpoints_page_that_differs_otherwise_has_none),
		TEST(test_breakpoints_look_stops_when_told),
		TEST(test_breakpoints_of_another_process_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
