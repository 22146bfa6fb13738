/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_reading.c on the test's own process: looking at its memory leaves that as it is. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "profile/memory_reading.c"

#define PAGE  4096
#define HOUR  3600000000000ULL
#define PAGES 16

static bool is_touched(const char *address)
{
	int page_table = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	assert_true(page_table >= 0);
	assert_int_equal(pread(page_table, &entry, sizeof(entry), (off_t)((uintptr_t)address / PAGE * sizeof(entry))),
			 sizeof(entry));
	close(page_table);
	return entry >> 63;
}

/* Between guards, so that it is a mapping of its own, in which one page has been written to. */
static char *map_touched_in_the_middle(void)
{
	char *memory = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	memory += PAGE;
	assert_int_equal(mprotect(memory, PAGES * PAGE, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE), 0);
	memory[PAGES / 2 * PAGE] = 1;
	return memory;
}

static struct memory_notes *note(struct last_memory *last)
{
	struct memory_notes *notes = calloc(1, sizeof(*notes));

	assert_non_null(notes);
	notes->pid = getpid();
	notes->smaps = smaps_open(getpid());
	notes->last = last_memory_hold(last);
	assert_true(notes->smaps >= 0);
	return notes;
}

/* The first one says an hour later, by the clock as it was then. */
static void test_memory_reading_is_the_last_one_though_the_clock_was_set_back(void **state)
{
	struct last_memory *last = last_memory_new();
	u64 later;

	(void)state;
	assert_non_null(last);
	assert_true(memory_read(note(last)).known);
	last->parts.read_unix_ns += HOUR;
	later = last->parts.read_unix_ns;
	assert_true(memory_read(note(last)).known);
	assert_true(last_memory_get(last).read_unix_ns < later);
	last_memory_release(last);
}

/* As the recording has it, which began when the clock stood elsewhere. */
static void test_memory_reading_is_told_by_the_time_of_the_recording(void **state)
{
	struct memory_notes *notes = note(NULL);
	u64 offset = clock_ns(CLOCK_REALTIME) - clock_now_ns() - 1000 * HOUR, before = clock_now_ns(), read_ns;

	(void)state;
	notes->unix_offset_ns = offset;
	read_ns = memory_read(notes).read_unix_ns;
	assert_in_range(read_ns, before + offset, clock_now_ns() + offset);
}

/* The beginning of each mapping tells whether it is a heap of glibc's. */
static void test_memory_reading_brings_no_page_into_memory(void **state)
{
	char *memory = map_touched_in_the_middle();

	(void)state;
	assert_true(memory_read(note(NULL)).known);
	assert_true(is_touched(memory + PAGES / 2 * PAGE));
	assert_false(is_touched(memory));
	munmap(memory - PAGE, (PAGES + 2) * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_reading_is_the_last_one_though_the_clock_was_set_back),
		cmocka_unit_test(test_memory_reading_is_told_by_the_time_of_the_recording),
		cmocka_unit_test(test_memory_reading_brings_no_page_into_memory),
	};

	return cmocka_run_group_tests_name("memory_reading", tests, NULL, NULL);
}
