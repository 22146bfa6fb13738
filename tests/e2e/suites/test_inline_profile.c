/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Go's test of its own memory profiler at a sampling interval, with the samples taken in the process: what target_mprof
 * allocates, by function and caller, within 5.5 standard errors (outside by chance once in 26 million; 12 comparisons). What asks for 2 MiB
 * is missed once in e^512, so those counts are exact.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

#define INTERVAL 4096
#define RUNS	 200
#define ERRORS	 5.5
#define FRAMES	 4

static const struct expected {
	const char *frames[FRAMES]; /* from the leaf, NULL: any number of a library's */
	double size, objects;	    /* of each run */
	bool kept;
} expected[] = {
	{{"allocate_persistent_1k", "test_memory_profiler", "main"}, 32, 32, true},
	{{"allocate_transient_1m", "test_memory_profiler", "main"}, 1024, 1024, false},
	{{"allocate_transient_2m", "test_memory_profiler", "main"}, 2 << 20, 1, false},
	{{"allocate_transient_2m_inline", "test_memory_profiler", "main"}, 2 << 20, 1, false},
	{{"allocate_reflect_transient", "allocate_reflect", "test_memory_profiler"}, 2 << 20, 1, false},
	{{"allocate_reflect_transient", "allocate_pointer", "test_memory_profiler"}, 2 << 20, 1, false},
};

/* Frames of libffi may stand between two. */
static bool has_frames(const struct text_record *record, const struct expected *row)
{
	unsigned int next = 0;

	for (unsigned int i = 0; i < record->frame_count && next < FRAMES && row->frames[next]; i++) {
		if (!strcmp(record->frames[i].function, row->frames[next]))
			next++;
		else if (!i || !strncmp(record->frames[i].function, "allocate_", 9))
			return false;
	}
	return next == FRAMES || !row->frames[next];
}

static void assert_count(const struct expected *row, const char *what, double found, double objects)
{
	double p = -expm1(-row->size / INTERVAL), error = sqrt(objects * p * (1 - p));

	if (fabs(found - objects * p) > ERRORS * error + 0.5)
		fail_msg("%s < %s, %s: %.0f samples, expected %.1f +- %.1f", row->frames[0], row->frames[1], what,
			 found, objects * p, error);
}

static void assert_profile(const struct text_profile *text)
{
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		const struct expected *row = &expected[i];
		double allocated = 0, in_use = 0;

		for (size_t j = 0; j < text->count; j++) {
			if (!has_frames(&text->records[j], row))
				continue;
			allocated += (double)text->records[j].alloc_objects;
			in_use += (double)text->records[j].inuse_objects;
		}
		assert_count(row, "allocated", allocated, RUNS * row->objects);
		assert_count(row, "in use", in_use, row->kept ? RUNS * row->objects : 0);
	}
}

static void check_variant(struct scene *scene, const char *name)
{
	const char *program = beside(format("mprof/%s", name));
	struct text_profile text;
	const cJSON *process;
	cJSON *index;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "4096", "--inline", "-f", "text,pprof", "--", program,
							   format("%d", RUNS), NULL}),
			 0);
	index = session_index(&scene->session);
	process = index_process(index, name);
	ledger_assert_clean(process);
	assert_int_equal(index_number(process, "ledger.inline"), index_number(process, "ledger.sampled"));
	assert_int_equal(text_profile_read(index_file(&scene->session, process, ".txt"), &text), 0);
	assert_profile(&text);
	text_profile_release(&text);
	cJSON_Delete(index);
}

static void test_inline_memory_profiler_of_gcc(void **state)
{
	check_variant(*state, "gcc_O2_nofp_dynamic");
}

static void test_inline_memory_profiler_of_clang(void **state)
{
	check_variant(*state, "clang_O2_nofp_dynamic");
}

static void test_inline_memory_profiler_static(void **state)
{
	check_variant(*state, "gcc_O0_fp_static-pie");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inline_memory_profiler_of_gcc),
		TEST(test_inline_memory_profiler_of_clang),
		TEST(test_inline_memory_profiler_static),
	};

	return cmocka_run_group_tests_name("inline_profile", tests, NULL, NULL);
}
