/* SPDX-License-Identifier: GPL-2.0-or-later */
/* selection.c where it cannot be known which cgroups are mounted: the message names the cause, and no mount that would not help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/resource.h>

#include "base/status.h"
#include "record/selection.h"
#include "unit/base/capture.h"

static const struct selection_options of_a_group = {.population = POPULATION_CGROUP, .cgroup = "/"};

/* What is said of a group by a process that can open no file. */
static const char *open_without_descriptors(struct capture *capture, int *ret_status)
{
	struct selection selection;
	struct rlimit before, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	capture_begin(capture, stderr);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	*ret_status = selection_open(&of_a_group, &selection);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	selection_release(&selection);
	return capture_end(capture);
}

static void test_selection_that_cannot_read_mounts_says_why(void **state)
{
	struct capture capture;
	const char *said;
	int status;

	(void)state;
	said = open_without_descriptors(&capture, &status);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(said, "/proc/self/mountinfo"));
	assert_non_null(strstr(said, "RLIMIT_NOFILE"));
	assert_null(strstr(said, "are not mounted"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selection_that_cannot_read_mounts_says_why),
	};

	return cmocka_run_group_tests_name("selection", tests, NULL, NULL);
}
