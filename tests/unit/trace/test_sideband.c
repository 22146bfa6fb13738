/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sideband.c: what a record makes of the recorder. The records are made up: no kernel is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/sideband.c"

#define PARENT 500
#define CHILD  501

static struct tracer tracer;

static int setup(void **state)
{
	(void)state;
	tracer = (struct tracer){.recorder = recorder_new(&(struct recorder_options){.sample_bytes = 1})};
	return tracer.recorder ? recorder_begin(tracer.recorder, 1, PARENT, 1, 10, NULL) : -1;
}

static int teardown(void **state)
{
	(void)state;
	recorder_free(tracer.recorder);
	return 0;
}

/* PARENT, which is traced, forks CHILD. */
static void tell_of_fork(enum population population)
{
	struct {
		struct perf_event_header header;
		struct fork_body body;
		struct sample_id id;
	} fork = {
		.header = {.type = PERF_RECORD_FORK, .size = sizeof(fork)},
		.body = {.pid = CHILD, .parent = PARENT, .tid = CHILD, .parent_tid = PARENT, .time_ns = 20},
		.id = {.pid = PARENT, .tid = PARENT, .time_ns = 20},
	};

	tracer.population = population;
	hand(&tracer, &(struct record){.time_ns = 20, .header = &fork.header});
}

static void test_sideband_fork_announces_a_child_that_is_traced_too(void **state)
{
	(void)state;
	tell_of_fork(POPULATION_FOLLOW);
	assert_true(recorder_announced(tracer.recorder, CHILD));
}

/* The kernel tells of forks whoever asks for mappings. */
static void test_sideband_fork_of_listed_processes_is_nothing(void **state)
{
	(void)state;
	tell_of_fork(POPULATION_LISTED);
	assert_false(recorder_announced(tracer.recorder, CHILD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sideband_fork_announces_a_child_that_is_traced_too, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_sideband_fork_of_listed_processes_is_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
