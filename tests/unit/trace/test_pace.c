/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace/pace: how soon the next drain comes. The ring's positions are made up: no kernel is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/pace.c"

#define NOW	   (3600ULL * 1000000000)
#define RING_BYTES (16UL << 20)

static struct tracer tracer;
static char *pages;

static int setup(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)state;
	pages = calloc(2, page);
	tracer = (struct tracer){.ring_pages = pages, .ring_bytes = RING_BYTES};
	return pages ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(pages);
	return 0;
}

/* So many bytes are in the ring. */
static void fill(unsigned long bytes)
{
	unsigned long *read = (void *)pages, *written = (void *)(pages + sysconf(_SC_PAGESIZE));

	*read = 12345;
	*written = *read + bytes;
}

static void test_pace_is_quiet_without_a_stir(void **state)
{
	(void)state;
	assert_int_equal(pace_rest_ms(&tracer, NOW), PACE_QUIET_MS);
}

static void test_pace_is_brisk_for_a_second_after_a_stir(void **state)
{
	(void)state;
	pace_stir(&tracer.pace, NOW);
	assert_int_equal(pace_rest_ms(&tracer, NOW), PACE_BRISK_MS);
	assert_int_equal(pace_rest_ms(&tracer, NOW + PACE_AFTER_NS - 1), PACE_BRISK_MS);
	assert_int_equal(pace_rest_ms(&tracer, NOW + PACE_AFTER_NS), PACE_QUIET_MS);
}

static void test_pace_is_brisk_while_the_ring_has_much(void **state)
{
	(void)state;
	fill(RING_BYTES / 64);
	pace_look_at_ring(&tracer, NOW);
	assert_int_equal(pace_rest_ms(&tracer, NOW), PACE_QUIET_MS);
	fill(RING_BYTES / 16);
	pace_look_at_ring(&tracer, NOW);
	assert_int_equal(pace_rest_ms(&tracer, NOW), PACE_BRISK_MS);
}

/* What keeps the pace quiet must leave the ring far from the half at which each event wakes the reader. */
static void test_pace_keeps_the_ring_below_its_half(void **state)
{
	unsigned long bytes = RING_BYTES;

	(void)state;
	do {
		tracer.pace = (struct pace){0};
		fill(bytes -= 4096);
		pace_look_at_ring(&tracer, NOW);
	} while (pace_rest_ms(&tracer, NOW) == PACE_BRISK_MS);
	assert_true(bytes > 0);
	assert_true(bytes / PACE_BRISK_MS * PACE_QUIET_MS < RING_BYTES / 4);
}

static void test_pace_is_brisk_while_windows_are_timed(void **state)
{
	(void)state;
	tracer.budget.windows.scale = 2;
	assert_int_equal(pace_rest_ms(&tracer, NOW), PACE_BRISK_MS);
}

static void test_pace_is_brisk_while_a_moment_is_looked_for(void **state)
{
	struct tracee tracee = {.pid = 1};

	(void)state;
	tracer.python_due = &tracee;
	assert_int_equal(pace_rest_ms(&tracer, NOW), PACE_BRISK_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pace_is_quiet_without_a_stir),	  TEST(test_pace_is_brisk_for_a_second_after_a_stir),
		TEST(test_pace_is_brisk_while_the_ring_has_much), TEST(test_pace_keeps_the_ring_below_its_half),
		TEST(test_pace_is_brisk_while_windows_are_timed), TEST(test_pace_is_brisk_while_a_moment_is_looked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
