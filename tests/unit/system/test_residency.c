/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which bytes of objects are resident, never touched, or all zero: of memory of the test's own, whose pages it touches itself. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "system/residency.h"

#define PAGE  4096
#define PAGES 64

static char *memory;

static int map(void **state)
{
	(void)state;
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Pages are touched one by one. */
	return memory == MAP_FAILED || madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE) ? -1 : 0;
}

static int unmap(void **state)
{
	(void)state;
	return munmap(memory, PAGES * PAGE);
}

static struct residency object(size_t offset, u64 size)
{
	return (struct residency){.addr = (uintptr_t)memory + offset, .size = size};
}

static void check(const struct residency *object, u64 resident, u32 read, u32 zero)
{
	assert_int_equal(object->resident, resident);
	assert_int_equal(object->swapped, 0);
	assert_int_equal(object->read, read);
	assert_int_equal(object->zero, zero);
}

static void test_residency_counts_touched_pages(void **state)
{
	struct residency objects[] = {object(0, 8 * PAGE), object(8 * PAGE, 8 * PAGE), object(16 * PAGE, 8 * PAGE)};

	(void)state;
	memset(memory, 1, 8 * PAGE);
	memset(memory + 8 * PAGE, 0, 3 * PAGE);
	assert_int_equal(residency_read(getpid(), objects, 3, 100), 0);
	check(&objects[0], 8 * PAGE, RESIDENCY_READS, 0);
	/* Its pages 0 to 2 are there, and the second piece is taken from page 3 at the earliest. */
	check(&objects[1], 3 * PAGE, 1, 1);
	check(&objects[2], 0, 0, 0);
}

/* Only the object's own bytes count, resident or zero, wherever in a page it begins. */
static void test_residency_of_parts_of_pages(void **state)
{
	struct residency objects[] = {object(100, 200), object(300, 5000), object(2 * PAGE - 8, 16)};

	(void)state;
	memory[99] = memory[300] = 1;
	assert_int_equal(residency_read(getpid(), objects, 3, 100), 0);
	check(&objects[0], 200, 1, 1);
	check(&objects[1], PAGE - 300, 1, 0);
	check(&objects[2], 0, 0, 0);
	memory[2 * PAGE] = 1;
	assert_int_equal(residency_read(getpid(), &objects[2], 1, 100), 0);
	check(&objects[2], 8, 1, 0);
}

static void test_residency_sorts_and_keeps_owners(void **state)
{
	struct residency objects[] = {object(9 * PAGE, 10), object(PAGE, 10), object(5 * PAGE, 10)};

	(void)state;
	for (u32 i = 0; i < 3; i++)
		objects[i].owner = i;
	memory[PAGE] = 1;
	assert_int_equal(residency_read(getpid(), objects, 3, 0), 0);
	assert_int_equal(objects[0].owner, 1);
	assert_int_equal(objects[1].owner, 2);
	assert_int_equal(objects[2].owner, 0);
	check(&objects[0], 10, 0, 0);
	check(&objects[1], 0, 0, 0);
}

/* More objects than may be read: every so many has one piece read. */
static void test_residency_reads_at_most_so_many(void **state)
{
	enum {
		COUNT = 1000
	};
	struct residency *objects = calloc(COUNT, sizeof(*objects));
	u32 read = 0, zero = 0;

	(void)state;
	memset(memory, 1, PAGE);
	memset(memory + PAGE, 0, PAGE);
	for (u32 i = 0; i < COUNT; i++)
		objects[i] = object(i % 2 ? PAGE + i : i, 8);
	assert_int_equal(residency_read(getpid(), objects, COUNT, 300), 0);
	for (u32 i = 0; i < COUNT; i++) {
		assert_int_equal(objects[i].resident, 8);
		assert_true(objects[i].read <= 1);
		read += objects[i].read;
		zero += objects[i].zero;
	}
	assert_in_range(read, 299, 300);
	assert_in_range(zero, 149, 151);
	free(objects);
}

/* A page that may not be read is resident all the same, and does not keep others from being read. */
static void test_residency_goes_on_behind_what_cannot_be_read(void **state)
{
	struct residency objects[] = {object(0, PAGE), object(PAGE, PAGE), object(2 * PAGE, PAGE)};

	(void)state;
	memset(memory, 1, 3 * PAGE);
	assert_int_equal(mprotect(memory + PAGE, PAGE, PROT_NONE), 0);
	assert_int_equal(residency_read(getpid(), objects, 3, 100), 0);
	check(&objects[0], PAGE, 1, 0);
	assert_int_equal(objects[1].read, 0);
	check(&objects[2], PAGE, 1, 0);
}

static void test_residency_of_a_process_that_is_gone(void **state)
{
	struct residency one = {.addr = 4096, .size = 1};
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(residency_read(pid, &one, 1, 1), -ENOENT);
}

static void test_residency_beyond_every_address(void **state)
{
	struct residency objects[] = {
		{.addr = 1, .size = 1}, {.addr = 0xffff800000000000, .size = 8}, {.addr = 0, .size = 0}};

	(void)state;
	assert_int_equal(residency_read(getpid(), objects, 3, 100), 0);
	for (u32 i = 0; i < 3; i++)
		check(&objects[i], 0, 0, 0);
}

/* What a process says that it asked malloc for: the loop over its pages would not end before the machine's next start. */
static void test_residency_of_sizes_that_no_process_has(void **state)
{
	struct residency objects[] = {{.addr = 4096, .size = 1ULL << 62},
				      {.addr = 8192, .size = UINT64_MAX},
				      {.addr = 12288, .size = (RESIDENCY_PAGES + 1) * PAGE},
				      object(0, PAGE)};

	(void)state;
	memory[0] = 1;
	assert_int_equal(residency_read(getpid(), objects, 4, 100), 0);
	for (u32 i = 0; i < 3; i++) {
		assert_false(objects[i].seen);
		check(&objects[i], 0, 0, 0);
	}
	assert_true(objects[3].seen);
	check(&objects[3], PAGE, 1, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, map, unmap)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_residency_counts_touched_pages),
		TEST(test_residency_of_parts_of_pages),
		TEST(test_residency_sorts_and_keeps_owners),
		TEST(test_residency_reads_at_most_so_many),
		TEST(test_residency_goes_on_behind_what_cannot_be_read),
		TEST(test_residency_of_a_process_that_is_gone),
		TEST(test_residency_beyond_every_address),
		TEST(test_residency_of_sizes_that_no_process_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
