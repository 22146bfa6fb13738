/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc_maps.c, smaps.c, parked_threads.c, cgroup_mounts.c, translator.c: a file of which a line cannot be read does not pass for a shorter one. */
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

#include "system/cgroup_mounts.c"
#include "system/parked_threads.c"
#include "system/proc_maps.c"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps_cut_are_no_maps),
		cmocka_unit_test(test_smaps_cut_are_no_smaps),
		cmocka_unit_test(test_areas_cut_are_no_areas),
		cmocka_unit_test(test_mounts_cut_are_no_mounts),
		cmocka_unit_test(test_translator_is_not_none_where_maps_are_cut),
	};

	return cmocka_run_group_tests_name("lines cut", tests, NULL, NULL);
}
