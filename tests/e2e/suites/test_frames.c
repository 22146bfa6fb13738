/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose frames a profile shows: the allocator's own never; instantiations of a template apart, and apart by size; what
 * is inlined into one another as lines of one location. Judged in both formats.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

typedef void (*check)(const struct text_profile *profile);

static void record_and_check(struct scene *scene, const char *program, check check)
{
	const char *const args[] = {"-R", "1", "-f", "text,pprof", "--", beside(program), NULL};
	struct text_profile profile;
	const cJSON *process;
	cJSON *index;

	assert_int_equal(session_run(&scene->session, scene, args), 0);
	index = session_index(&scene->session);
	process = index_process(index, program);
	assert_int_equal(text_profile_read(index_file(&scene->session, process, ".txt"), &profile), 0);
	check(&profile);
	text_profile_release(&profile);
	assert_int_equal(pprof_profile_read(index_file(&scene->session, process, ".pb.gz"), &profile), 0);
	check(&profile);
	text_profile_release(&profile);
	cJSON_Delete(index);
}

/* --- the allocator's own --- */

/* A size that target_functions allocates in one place only, by each function of libc and each way to it. */
static const struct {
	uint64_t size;
	const char *leaf;
} callers[] = {
	{1 << 20, "use_malloc"},    {1000 * 1000, "use_calloc"}, {5000, "use_realloc"},	 {300000, "use_realloc"},
	{1300, "use_reallocarray"}, {201, "use_alignment"},	 {203, "use_alignment"}, {205, "use_alignment"},
	{208, "use_alignment"},	    {301, "use_pages"},		 {303, "use_pages"},	 {401, "use_pointers"},
	{403, "use_pointers"},
};

#define CALLERS (sizeof(callers) / sizeof(*callers))

static bool is_of_the_allocator(const char *function)
{
	static const char *const names[] = {
		"malloc",     "calloc",	       "realloc",	    "reallocarray", "free",
		"memalign",   "aligned_alloc", "posix_memalign",    "valloc",	    "pvalloc",
		"cfree",      "_mid_memalign", "_int_malloc",	    "_int_realloc", "_int_memalign",
		"_int_free",  "tcache_init",   "malloc_hook_ini",   "sysmalloc",    "sysmalloc_mmap",
		"arena_get2", "__GI_memalign", "malloc_consolidate"};

	if (!strncmp(function, "__libc_", 7))
		function += 7;
	else if (!strncmp(function, "__", 2) && strncmp(function, "__GI_", 5))
		function += 2;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(function, names[i]))
			return true;
	}
	return false;
}

/*
 * Checks the last function of each address only: the dynamic linker calls malloc through inline functions that have the
 * names of the functions they call.
 */
static void assert_no_allocator_in(const struct text_record *record)
{
	for (unsigned int i = 0; i < record->frame_count; i++) {
		bool physical = i + 1 == record->frame_count || record->frames[i + 1].pc != record->frames[i].pc;

		if (physical && is_of_the_allocator(record->frames[i].function))
			fail_msg("%s is frame %u of %u", record->frames[i].function, i, record->frame_count);
	}
}

static void check_hidden(const struct text_profile *profile)
{
	unsigned int found = 0;

	for (size_t i = 0; i < profile->count; i++) {
		const struct text_record *record = &profile->records[i];

		assert_true(record->frame_count > 0);
		assert_no_allocator_in(record);
		for (size_t j = 0; j < CALLERS; j++) {
			if (record->alloc_bytes != record->alloc_objects * callers[j].size)
				continue;
			assert_string_equal(record->frames[0].function, callers[j].leaf);
			found |= 1U << j;
		}
	}
	assert_int_equal(found, (1U << CALLERS) - 1);
}

static void test_frames_of_the_allocator_are_hidden(void **state)
{
	record_and_check(*state, "target_functions", check_hidden);
}

/* --- too deep --- */

#define LEAF_FRAMES 112 /* as many are kept of a stack that is too deep */

/* What target_deep allocates: where the stack is cut, and whether its root is known. */
static const struct {
	uint64_t bytes, objects;
	unsigned int cut;
	bool rooted;
} depths[] = {
	{555, 1, 0, true},
	{2 * 77777, 2, LEAF_FRAMES, true},
	{3333, 1, LEAF_FRAMES, false},
};

#define DEPTHS (sizeof(depths) / sizeof(*depths))

/* 0: the function is in no frame, or in the leaf. */
static unsigned int place_of(const struct text_record *record, const char *function)
{
	for (unsigned int i = 1; i < record->frame_count; i++)
		if (!strcmp(record->frames[i].function, function))
			return i;
	return 0;
}

static void check_deep(const struct text_profile *profile)
{
	unsigned int found = 0;

	for (size_t i = 0; i < profile->count; i++) {
		const struct text_record *record = &profile->records[i];
		unsigned int which = 0;

		while (which < DEPTHS && record->alloc_bytes != depths[which].bytes)
			which++;
		if (which == DEPTHS)
			continue;
		found |= 1U << which;
		assert_string_equal(record->frames[0].function, "descend");
		assert_int_equal(place_of(record, "[truncated]"), depths[which].cut);
		assert_int_equal(place_of(record, "main") > depths[which].cut, depths[which].rooted);
		assert_int_equal(record->alloc_objects, depths[which].objects);
	}
	assert_int_equal(found, (1U << DEPTHS) - 1);
}

/* Those of 500 and of 400 frames differ only in what is left out, so they are one. */
static void test_frames_of_a_stack_that_is_too_deep_are_those_at_leaf_and_root(void **state)
{
	record_and_check(*state, "target_deep", check_deep);
}

/* --- templates --- */

/* A linker's name begins with what an instance returns. */
static bool is_instance(const struct text_frame *frame, const char *template)
{
	const char *name = strstr(frame->function, template);

	return name && name[strlen(template)] == '<';
}

/* How the compiler spells a type in an instance's name is its own affair: that the names differ is not. */
static void check_instances(const struct text_profile *profile)
{
	static const uint64_t sizes[] = {128, 256, 32, 64};
	const char *names[4] = {NULL};
	unsigned int count = 0;

	for (size_t i = 0; i < profile->count; i++) {
		const struct text_record *record = &profile->records[i];
		unsigned int which = 0;

		if (!record->frame_count || !is_instance(&record->frames[0], "allocate_elements"))
			continue;
		while (which < 3 && record->alloc_bytes != sizes[which])
			which++;
		assert_int_equal(record->alloc_bytes, sizes[which]);
		assert_null(names[which]);
		assert_int_equal(record->alloc_objects, 1);
		assert_int_equal(record->inuse_objects, 0);
		assert_int_equal(record->inuse_bytes, 0);
		assert_string_equal(record->frames[1].function, "main");
		names[which] = record->frames[0].function;
		count++;
	}
	assert_int_equal(count, 4);
	assert_string_equal(names[0], names[1]);
	assert_string_equal(names[2], names[3]);
	assert_string_not_equal(names[0], names[2]);
}

static void test_frames_of_template_instances_stay_apart(void **state)
{
	record_and_check(*state, "target_templates", check_instances);
}

static void check_inlined(const struct text_profile *profile)
{
	const char *names[2];
	unsigned int count = 0;

	for (size_t i = 0; i < profile->count; i++) {
		const struct text_record *record = &profile->records[i];
		const struct text_frame *frames = record->frames;

		if (!record->frame_count || !is_instance(&frames[0], "store_inlined"))
			continue;
		assert_true(count < 2 && record->frame_count > 3);
		assert_true(is_instance(&frames[1], "store_twice_inlined"));
		assert_string_equal(frames[2].function, "store_both_types()");
		assert_string_equal(frames[3].function, "main");
		assert_true(frames[0].pc == frames[1].pc && frames[1].pc == frames[2].pc);
		assert_true(frames[2].pc != frames[3].pc);
		assert_int_equal(record->alloc_objects, 1);
		assert_int_equal(record->alloc_bytes, 64);
		names[count++] = frames[0].function;
	}
	assert_int_equal(count, 2);
	assert_string_not_equal(names[0], names[1]);
}

static void test_frames_inlined_twice_are_three_lines_of_one_location(void **state)
{
	record_and_check(*state, "target_templates", check_inlined);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_frames_of_a_stack_that_is_too_deep_are_those_at_leaf_and_root),
		TEST(test_frames_of_the_allocator_are_hidden),
		TEST(test_frames_of_template_instances_stay_apart),
		TEST(test_frames_inlined_twice_are_three_lines_of_one_location),
	};

	return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
