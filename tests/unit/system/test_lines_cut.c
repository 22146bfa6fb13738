/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reads /proc by lines: a file of which a line cannot be read does not pass for a shorter one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many lines find memory, the next one does not. */
static unsigned int lines_left;

static ssize_t next_line(char **line, size_t *size, FILE *file)
{
	if (lines_left && lines_left--)
		return getline(line, size, file);
	errno = ENOMEM;
	return -1;
}

#define getline next_line

#include "system/borrowed_thread.c"
#include "system/cgroup_mounts.c"
#include "system/file_copies.c"
#include "system/parked_threads.c"
#include "system/proc_maps.c"
#include "system/procfs.c"
#include "system/smaps.c"
#include "system/translator.c"

#define PLENTY UINT32_MAX

static int count(struct mapping *mapping, void *arg)
{
	(void)mapping;
	++*(unsigned int *)arg;
	return 0;
}

static void test_maps_cut_are_no_maps(void **state)
{
	unsigned int all = 0, some = 0;

	(void)state;
	lines_left = PLENTY;
	assert_int_equal(proc_maps_for_each(getpid(), count, &all), 0);
	assert_true(all > 1);
	for (unsigned int left = 0; left < 3; left++) {
		lines_left = left;
		assert_int_equal(proc_maps_for_each(getpid(), count, &some), -ENOMEM);
	}
}

static void test_smaps_cut_are_no_smaps(void **state)
{
	struct smaps smaps;

	(void)state;
	lines_left = PLENTY;
	assert_int_equal(smaps_read(smaps_open(getpid()), &smaps), 0);
	assert_true(smaps.count > 1);
	smaps_release(&smaps);
	lines_left = 40;
	assert_int_equal(smaps_read(smaps_open(getpid()), &smaps), -ENOMEM);
	assert_int_equal(smaps.count, 0);
}

static void test_areas_cut_are_no_areas(void **state)
{
	struct stopped_threads threads = {.pid = getpid()};
	struct scan scan = {.threads = &threads};

	(void)state;
	lines_left = PLENTY;
	assert_int_equal(read_areas(&scan), 0);
	assert_true(scan.area_count > 1);
	scan.area_count = 0;
	lines_left = 2;
	assert_int_equal(read_areas(&scan), -ENOMEM);
	free(scan.areas);
}

static void test_mounts_cut_are_no_mounts(void **state)
{
	struct cgroup_mounts mounts;

	(void)state;
	lines_left = 0;
	assert_int_equal(cgroup_mounts_open("", &mounts), -ENOMEM);
}

static void test_translator_is_not_none_where_maps_are_cut(void **state)
{
	const struct mapped_by_file none = {.inode = UINT32_MAX};
	const char *name;

	(void)state;
	lines_left = 1;
	assert_int_equal(translator_of(getpid(), &name), -ENOMEM);
	assert_null(name);
	lines_left = 1;
	assert_int_equal(translator_maps(getpid(), &none), -ENOMEM);
	lines_left = PLENTY;
	assert_int_equal(translator_of(getpid(), &name), 0);
	assert_int_equal(translator_maps(getpid(), &none), 0);
	/* It has gone, and is a thread of the kernel: neither is a failure. */
	assert_int_equal(translator_of(INT32_MAX, &name), 0);
	assert_int_equal(translator_of(2, &name), 0);
}

/* What it executed could not be noted: then the process itself tells, and if that fails, it may be any. */
static void test_program_that_was_not_noted_is_not_no_translator(void **state)
{
	const char *name;

	(void)state;
	lines_left = 0;
	assert_int_equal(translator_executed(getpid(), NULL, &name), -ENOMEM);
	assert_int_equal(translator_executed(getpid(), "/bin/true", &name), 0);
	assert_null(name);
	assert_int_equal(translator_executed(getpid(), "/usr/bin/valgrind", &name), 0);
	assert_string_equal(name, "valgrind");
	lines_left = PLENTY;
	assert_int_equal(translator_executed(getpid(), NULL, &name), 0);
	assert_null(name);
}

/* Its threads would be said never to be where one can lend its stack. */
static void test_thread_that_cannot_be_looked_at_is_not_one_that_cannot_lend(void **state)
{
	struct stopped_threads threads = {.pid = getpid(), .memory = -1};
	struct stopped_thread thread = {.tid = getpid()};

	(void)state;
	thread.registers.cs = CODE_64;
	thread.registers.rsp = (u64)&thread;
	lines_left = 1;
	assert_int_equal(borrowed_thread_can_lend(&threads, &thread), -ENOMEM);
	lines_left = PLENTY;
	assert_int_equal(borrowed_thread_can_lend(&threads, &thread), 1);
	threads.pid = INT32_MAX;
	assert_int_equal(borrowed_thread_can_lend(&threads, &thread), -ESRCH);
}

/* Namespaces that COMMAND makes would else not get what it mounts later. */
static void test_root_is_not_private_where_its_mounts_are_cut(void **state)
{
	bool shared;

	(void)state;
	lines_left = 0;
	assert_int_equal(find_root_shared(&shared), -ENOMEM);
	lines_left = PLENTY;
	assert_int_equal(find_root_shared(&shared), 0);
}

/* Where it is unknown, no probe may be placed of which threads with such stacks would die. */
static void test_processor_has_shadow_stacks_unless_it_says_that_it_has_none(void **state)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	static char text[1 << 16];

	(void)state;
	lines_left = 0;
	assert_true(procfs_has_shadow_stacks());
	lines_left = PLENTY;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_int_equal(procfs_has_shadow_stacks(), strstr(text, " user_shstk") != NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps_cut_are_no_maps),
		cmocka_unit_test(test_smaps_cut_are_no_smaps),
		cmocka_unit_test(test_areas_cut_are_no_areas),
		cmocka_unit_test(test_mounts_cut_are_no_mounts),
		cmocka_unit_test(test_translator_is_not_none_where_maps_are_cut),
		cmocka_unit_test(test_program_that_was_not_noted_is_not_no_translator),
		cmocka_unit_test(test_thread_that_cannot_be_looked_at_is_not_one_that_cannot_lend),
		cmocka_unit_test(test_root_is_not_private_where_its_mounts_are_cut),
		cmocka_unit_test(test_processor_has_shadow_stacks_unless_it_says_that_it_has_none),
	};

	return cmocka_run_group_tests_name("lines cut", tests, NULL, NULL);
}
