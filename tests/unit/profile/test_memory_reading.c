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

#include "profile/memory_reading.h"
#include "system/smaps.h"

#define PAGE  4096
#define PAGES 16

static bool is_present(const char *address)
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

/* The beginning of each mapping tells whether it is a heap of glibc's. */
static void test_memory_reading_brings_no_page_into_memory(void **state)
{
	char *memory = map_touched_in_the_middle();
	struct memory_notes *notes = calloc(1, sizeof(*notes));
	struct memory_parts parts;

	(void)state;
	assert_non_null(notes);
	notes->pid = getpid();
	notes->smaps = smaps_open(getpid());
	assert_true(notes->smaps >= 0);
	parts = memory_read(notes);
	assert_true(parts.known);
	assert_true(is_present(memory + PAGES / 2 * PAGE));
	assert_false(is_present(memory));
	munmap(memory - PAGE, (PAGES + 2) * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_reading_brings_no_page_into_memory),
	};

	return cmocka_run_group_tests_name("memory_reading", tests, NULL, NULL);
}
