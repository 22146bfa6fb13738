/* SPDX-License-Identifier: GPL-2.0-or-later */
/* merged_rows.c: names of merged files that collide, and processes that name themselves without end. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/output_file.h"
#include "format/site_label.h"
#include "record/merged_rows.h"
#include "base/string_list.h"
#include "unit/system/scratch.h"

static struct profile of(const char *exe, const char *comm)
{
	return (struct profile){.pid = 7, .exe = (char *)exe, .comm = (char *)comm, .sample_bytes = 1};
}

static const char *stem(struct merged_rows *table, const char *exe, const char *comm)
{
	struct profile profile = of(exe, comm);
	struct merged_row *executable = merged_rows_executable(table, &profile);

	assert_non_null(executable);
	return executable->facts->stem;
}

static void test_executable_stems_differ_whatever_the_paths(void **state)
{
	struct merged_rows table = {0};

	(void)state;
	assert_string_equal(stem(&table, "/usr/bin/sh", "sh"), "merged.sh");
	assert_string_equal(stem(&table, "/usr/bin/sh", "other"), "merged.sh");
	assert_string_equal(stem(&table, "/bin/sh-2", "sh"), "merged.sh-2");
	assert_string_equal(stem(&table, "/chroot/bin/sh", "sh"), "merged.sh-3");
	assert_string_equal(stem(&table, "/tmp/a b\n", "sh"), "merged.a_b_");
	assert_string_equal(stem(&table, NULL, "kept"), "merged.kept");
	assert_string_equal(stem(&table, NULL, ""), "merged.unknown");
	merged_rows_release(&table);
}

static void test_executable_beyond_the_limit_is_one_of_the_others(void **state)
{
	struct merged_rows table = {0};
	char path[32];

	(void)state;
	for (u32 i = 0; i < MERGED_EXECUTABLES_MAX; i++) {
		snprintf(path, sizeof(path), "/x/%u", i);
		stem(&table, path, "x");
	}
	assert_string_equal(stem(&table, "/y/1", "y"), "merged.others");
	assert_string_equal(stem(&table, "/y/2", "y"), "merged.others");
	assert_string_equal(stem(&table, "/x/5", "y"), "merged.5");
	assert_int_equal(HASH_COUNT(table.rows), MERGED_EXECUTABLES_MAX + 1);
	merged_rows_release(&table);
}

static void test_executable_comms_end_in_other(void **state)
{
	struct merged_rows table = {0};
	struct profile profile = of("/bin/sh", "sh");
	struct merged_row *executable = merged_rows_executable(&table, &profile);
	char comm[16];

	(void)state;
	for (u32 i = 0; i < 1000; i++) {
		snprintf(comm, sizeof(comm), "name%u", i);
		assert_string_equal(merged_rows_comm(executable, comm), i < 64 ? comm : "other");
	}
	assert_string_equal(merged_rows_comm(executable, "name3"), "name3");
	merged_rows_release(&table);
}

static char stems[256];

static void note(void *arg, const struct profile *merged, char **files)
{
	(void)arg;
	strcat(stems, merged->stem);
	strcat(stems, " ");
	string_list_free(files);
}

static void test_label_containers_are_told_apart_by_name_of_file(void **state)
{
	static const char *const ids[] = {"0123456789ab0000000000000000000000000000000000000000000000000000",
					  "0123456789ab1111111111111111111111111111111111111111111111111111",
					  "web-frontend-1", "web-frontend-2"};
	struct merged_output output = {.formats = FORMAT_PPROF, .written = note};
	struct by_container *containers = by_container_new();
	int dir = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_non_null(containers);
	for (int i = 0; i < 4; i++) {
		struct profile profile = of("/bin/sh", "sh");

		profile.container = (char *)ids[i];
		assert_int_equal(by_container_add(containers, &profile, NULL), 0);
	}
	output.dir = dir;
	assert_int_equal(by_container_write(containers, &output), 0);
	assert_string_equal(stems, "container.0123456789ab container.0123456789ab-2 container.web-frontend-1 "
				   "container.web-frontend-2 all ");
	close(dir);
	by_container_free(containers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_executable_stems_differ_whatever_the_paths),
		cmocka_unit_test(test_executable_beyond_the_limit_is_one_of_the_others),
		cmocka_unit_test(test_executable_comms_end_in_other),
		cmocka_unit_test_setup_teardown(test_label_containers_are_told_apart_by_name_of_file, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
