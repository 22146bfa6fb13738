/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames that no compiler makes, against libunwind in the same run, where libunwind can walk them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/text_profile.h"
#include "e2e/kit/truestack.h"

static void test_assembly_base_in_bx_is_followed(void **state)
{
	stacks_scene(*state, "target_unwind_assembly", "bx", 99);
}

static void test_assembly_base_on_the_stack_is_followed(void **state)
{
	stacks_scene(*state, "target_unwind_assembly", "stack", 99);
}

static void test_assembly_base_anywhere_struck_by_a_signal_is_followed(void **state)
{
	stacks_scene(*state, "target_unwind_assembly", "anywhere", 99);
}

/* Objects of those records that go from `allocate` through `function` to main and beyond. */
static uint64_t whole_stacks(const struct text_profile *profile, const char *function)
{
	uint64_t objects = 0;

	for (size_t i = 0; i < profile->count; i++) {
		const struct text_record *record = &profile->records[i];

		if (record->frame_count > 5 && !strcmp(record->frames[1].function, function) &&
		    !strcmp(record->frames[2].function, "below") &&
		    !strncmp(record->frames[record->frame_count - 1].function, "_start", 6))
			objects += record->alloc_objects;
	}
	return objects;
}

/* libunwind goes astray at the caller of such code, so the truth is the program itself: 1000 calls, all to the root. */
static void test_assembly_without_rules_go_by_frame_pointer(void **state)
{
	struct scene *scene = *state;
	struct text_profile profile;
	const cJSON *process;
	cJSON *index;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "1", "-f", "text", "--",
							   beside("target_unwind_assembly"), "frame-pointer", NULL}),
			 7);
	index = session_index(&scene->session);
	process = index_process(index, "target_unwind_a");
	assert_int_equal(index_number(process, "ledger.stack_frame_pointer"), 1000);
	assert_int_equal(text_profile_read(index_file(&scene->session, process, ".txt"), &profile), 0);
	assert_int_equal(whole_stacks(&profile, "frame_pointer"), 1000);
	text_profile_release(&profile);
	cJSON_Delete(index);
}

/* Asked for, the allocator's function is the leaf of every stack, and nothing else changes. */
static void test_assembly_show_allocator_keeps_malloc(void **state)
{
	struct scene *scene = *state;
	struct text_profile profile;
	uint64_t objects = 0;
	cJSON *index;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "1", "--show-allocator", "-f", "text", "--",
							   beside("target_unwind_assembly"), "bx", NULL}),
			 7);
	index = session_index(&scene->session);
	assert_int_equal(text_profile_read(index_file(&scene->session, index_process(index, "target_unwind_a"), ".txt"),
					   &profile),
			 0);
	for (size_t i = 0; i < profile.count; i++) {
		assert_true(profile.records[i].frame_count > 1);
		assert_non_null(strstr(profile.records[i].frames[0].function, "malloc"));
		if (!strcmp(profile.records[i].frames[1].function, "allocate"))
			objects += profile.records[i].alloc_objects;
	}
	assert_int_equal(objects, 2000);
	text_profile_release(&profile);
	cJSON_Delete(index);
}

/* A frame without rules whose bp points anywhere ends the stack there; nothing is made up. */
static void test_assembly_without_rules_and_frame_pointer_end_the_stack(void **state)
{
	stacks_scene(*state, "target_unwind_assembly", "no-frame-pointer", 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_assembly_base_in_bx_is_followed),
		TEST(test_assembly_base_on_the_stack_is_followed),
		TEST(test_assembly_base_anywhere_struck_by_a_signal_is_followed),
		TEST(test_assembly_without_rules_go_by_frame_pointer),
		TEST(test_assembly_without_rules_and_frame_pointer_end_the_stack),
		TEST(test_assembly_show_allocator_keeps_malloc),
	};

	return cmocka_run_group_tests_name("assembly", tests, NULL, NULL);
}
