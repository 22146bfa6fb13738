/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code is injected into programs that check themselves all the time, and taken out again. */
#include <linux/perf_event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/injected.h"

#define CYCLES 200

static void test_injection(void **state)
{
	(void)state;
	for (size_t i = 0; i < INJECTED_KINDS; i++) {
		struct injected injected;
		unsigned int descriptors;

		injected_start(&injected, injected_kinds[i]);
		descriptors = child_descriptors(injected.target.pid);
		assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
		assert_int_equal(child_descriptors(injected.target.pid), descriptors);
		injected_cycle(&injected);
		injected_release(&injected);
	}
}

static void test_injection_cycles(void **state)
{
	static const char *const words[] = {"4", "calls", "state", "signals", "forks", NULL};
	struct injected injected;

	(void)state;
	injected_start(&injected, words);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	for (int i = 0; i < CYCLES; i++) {
		assert_int_equal(injected_patch(&injected, INJECTED_TRIES), 0);
		assert_int_equal(injected_undo(&injected, INJECTED_TRIES), 0);
		if (i % 50 == 0)
			injected_check(&injected);
	}
	injected_cycle(&injected);
	injected_release(&injected);
}

/* --- a breakpoint of somebody else's ------------------------------------------------------------------------------------ */

/* At the function's first byte, as perf sets it. */
static int open_breakpoint(const struct injected *injected)
{
	struct perf_event_attr event = {.size = sizeof(event)};
	FILE *type = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	const char *path = beside("target_patient");
	int fd;

	assert_non_null(type);
	assert_int_equal(fscanf(type, "%u", &event.type), 1);
	fclose(type);
	event.config1 = (uintptr_t)path;
	event.config2 = injected->page->offset;
	fd = (int)syscall(SYS_perf_event_open, &event, injected->target.pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void assert_hit(const struct injected *injected, int breakpoint)
{
	u64 before, after;

	assert_int_equal(read(breakpoint, &before, sizeof(before)), sizeof(before));
	injected_check(injected);
	assert_int_equal(read(breakpoint, &after, sizeof(after)), sizeof(after));
	assert_true(after > before);
}

static void assert_counts(const struct injected *injected)
{
	u64 before = injected_count(injected);

	injected_check(injected);
	assert_true(injected_count(injected) > before);
}

static void test_injection_breakpoint(void **state)
{
	static const char *const words[] = {"1", "calls", NULL};
	struct injected injected;
	int breakpoint;

	(void)state;
	injected_start(&injected, words);
	breakpoint = open_breakpoint(&injected);
	assert_hit(&injected, breakpoint);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	assert_int_equal(injected_patch(&injected, INJECTED_TRIES), 0);
	assert_hit(&injected, breakpoint);
	assert_counts(&injected);
	close(breakpoint);
	assert_counts(&injected);
	breakpoint = open_breakpoint(&injected);
	assert_hit(&injected, breakpoint);
	assert_counts(&injected);
	assert_int_equal(injected_undo(&injected, INJECTED_TRIES), 0);
	assert_hit(&injected, breakpoint);
	close(breakpoint);
	injected_check(&injected);
	injected_release(&injected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_injection_cycles),
		cmocka_unit_test(test_injection_breakpoint),
	};

	return cmocka_run_group_tests_name("injection", tests, NULL, NULL);
}
