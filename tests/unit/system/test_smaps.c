/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smaps.c on text, and on this process itself. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "system/smaps.h"

static struct smaps parse(const char *text)
{
	FILE *in = fmemopen((void *)text, strlen(text), "r");
	struct smaps smaps;

	assert_non_null(in);
	assert_int_equal(smaps_parse(in, &smaps), 0);
	fclose(in);
	return smaps;
}

static void test_smaps_fields_belong_to_the_mapping_above_them(void **state)
{
	struct smaps smaps =
		parse("7f0000000000-7f0000003000 rw-p 00000000 00:00 0                  [anon: glibc: malloc]\n"
		      "Size:                 12 kB\n"
		      "Rss:                   8 kB\n"
		      "Pss:                   5 kB\n"
		      "Pss_Dirty:             3 kB\n"
		      "LazyFree:              4 kB\n"
		      "Shared_Hugetlb:       16 kB\n"
		      "Private_Hugetlb:      32 kB\n"
		      "Swap:                  2 kB\n"
		      "SwapPss:               1 kB\n"
		      "VmFlags: rd wr mr mw me ac nh sd \n"
		      "7f0000003000-7f0000004000 r-xs 00001000 fe:00 1234    /a path/with \\012 in it (deleted)\n"
		      "Rss:                   4 kB\n"
		      "VmFlags: rd ex mr mw me \n");
	const struct smaps_area *first = smaps.areas, *second = smaps.areas + 1;

	(void)state;
	assert_int_equal(smaps.count, 2);
	assert_true(first->start == 0x7f0000000000 && first->end == 0x7f0000003000);
	assert_string_equal(first->name, "[anon: glibc: malloc]");
	assert_true(first->readable && first->writable && !first->executable && !first->shared && !first->file);
	assert_true(first->resident == 8 << 10 && first->share == 5 << 10 && first->lazy == 4 << 10);
	assert_true(first->swap == 2 << 10 && first->hugetlb == 48 << 10 && first->stack);
	assert_string_equal(second->name, "/a path/with \\012 in it (deleted)");
	assert_true(second->executable && second->shared && second->file && !second->writable && !second->stack);
	assert_int_equal(second->resident, 4 << 10);
	smaps_release(&smaps);
}

static void test_smaps_lines_that_do_not_parse_are_left_out(void **state)
{
	struct smaps smaps = parse("Rss: 4 kB\n"
				   "7000-6000 rw-p 00000000 00:00 0\n"
				   "no mapping at all\n"
				   "1000-2000 rw-p 00000000 00:00 0\n"
				   "Rss: 4 kB\n"
				   "3000-4000 rw 00000000 00:00 0\n");

	(void)state;
	assert_int_equal(smaps.count, 1);
	assert_true(smaps.areas[0].start == 0x1000 && smaps.areas[0].resident == 4096);
	assert_string_equal(smaps.areas[0].name, "");
	smaps_release(&smaps);
	smaps = parse("\n");
	assert_int_equal(smaps.count, 0);
	smaps_release(&smaps);
}

/* A name that the process chose is cut, and stays one name. */
static void test_smaps_long_names_are_cut(void **state)
{
	char text[5000];
	struct smaps smaps;

	(void)state;
	snprintf(text, sizeof(text), "1000-2000 rw-p 0 00:00 7 /%0*d\nRss: 4 kB\n", 4000, 0);
	smaps = parse(text);
	assert_int_equal(smaps.count, 1);
	assert_int_equal(strlen(smaps.areas[0].name), SMAPS_NAME_SIZE - 1);
	assert_int_equal(smaps.areas[0].resident, 4096);
	smaps_release(&smaps);
}

static void test_smaps_of_this_process_has_the_pages_that_it_touched(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct smaps smaps;
	u64 resident = 0;

	(void)state;
	assert_true(memory != MAP_FAILED);

	memory[0] = memory[3 * page] = 1;
	assert_int_equal(smaps_read(smaps_open(getpid()), &smaps), 0);
	for (u32 i = 0; i < smaps.count; i++)
		if (smaps.areas[i].start <= (uintptr_t)memory && (uintptr_t)memory < smaps.areas[i].end)
			resident = smaps.areas[i].resident;
	assert_true(resident >= 2 * page);
	smaps_release(&smaps);
	munmap(memory, 8 * page);
}

static void test_smaps_opened_before_the_process_ended_say_that_it_is_gone(void **state)
{
	struct smaps smaps;
	pid_t child = fork();
	int fd;

	(void)state;
	if (!child)
		for (;;)
			pause();
	fd = smaps_open(child);
	assert_true(fd >= 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(smaps_read(fd, &smaps), -ESRCH);
	smaps_release(&smaps);
	assert_int_equal(smaps_open(child), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smaps_fields_belong_to_the_mapping_above_them),
		cmocka_unit_test(test_smaps_lines_that_do_not_parse_are_left_out),
		cmocka_unit_test(test_smaps_long_names_are_cut),
		cmocka_unit_test(test_smaps_of_this_process_has_the_pages_that_it_touched),
		cmocka_unit_test(test_smaps_opened_before_the_process_ended_say_that_it_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
