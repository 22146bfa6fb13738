/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gc_model.c: without memory for the moments of its cycles it goes on, and knows the last one. */
#include <stdlib.h>

/* What is remembered finds memory only then. */
static int has_memory;

static void *history_memory(size_t count, size_t size)
{
	return has_memory ? calloc(count, size) : NULL;
}

#define calloc history_memory

#include "heap/gc_model.c"

#include "gc_model_scene.h"

static void test_gc_model_without_memory_completes_what_is_due(void **state)
{
	(void)state;
	has_memory = 0;
	begin(100);
	gc_model_tick(&gc, SECOND + 5 * GC_PERIOD_NS + SECOND);
	assert_int_equal(gc.cycle, 5);
	assert_int_equal(gc_model_moment(&gc, 0).time_ns, SECOND);
	assert_int_equal(gc_model_moment(&gc, 5).time_ns, SECOND + 5 * GC_PERIOD_NS);
	assert_int_equal(gc_model_moment(&gc, 3).time_ns, SECOND + 5 * GC_PERIOD_NS);
}

/* For one that was not remembered it gives a later one that was. */
static void test_gc_model_that_finds_memory_later_remembers_from_then_on(void **state)
{
	(void)state;
	has_memory = 0;
	begin(100);
	for (u32 cycle = 0; cycle < 10; cycle++) {
		has_memory = cycle >= 6;
		complete_cycle();
	}
	for (u32 cycle = 1; cycle < 7; cycle++)
		assert_in_range(gc_model_moment(&gc, cycle).time_ns, SECOND + 7 * GC_PERIOD_NS,
				SECOND + 10 * GC_PERIOD_NS);
	for (u32 cycle = 7; cycle <= 10; cycle++)
		assert_int_equal(gc_model_moment(&gc, cycle).time_ns, SECOND + cycle * GC_PERIOD_NS);
	gc_model_release(&gc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gc_model_without_memory_completes_what_is_due),
		cmocka_unit_test(test_gc_model_that_finds_memory_later_remembers_from_then_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
