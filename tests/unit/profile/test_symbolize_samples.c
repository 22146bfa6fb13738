/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbolize.c: stacks begin in the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile/symbolize.h"

/* Functions, innermost inlined first: mangled and demangled names. */
#define LINES_MAX 2
static const char *const names[][LINES_MAX][2] = {
	[0] = {{"main", "main"}},
	[1] = {{"_Znwm", "operator new(unsigned long)"}},
	[2] = {{"_ZnamRKSt9nothrow_t", "operator new[](unsigned long, std::nothrow_t const&)"}},
	[3] = {{"_RNvCs691rhTbG0Ee_7___rustc12___rust_alloc", "__rustc::__rust_alloc"}},
	[4] = {{"_RNvNtCs_5alloc5alloc5alloc", "alloc::alloc::alloc"}, {"__rust_realloc", "__rust_realloc"}},
	[5] = {{"_ZNSt15__new_allocatorIiE8allocateEmPKv",
		"std::__new_allocator<int>::allocate(unsigned long, void const*)"},
	       {"_Z5buildv", "build()"}},
	[6] = {{"_ZN2v88internal8MallocednwEm", "v8::internal::Malloced::operator new(unsigned long)"}},
	[7] = {{"__rustonomicon", "__rustonomicon"}},
	[8] = {{NULL, NULL}}, /* no name known */
	[9] = {{"_Z5buildv", "build()"}},
	[10] = {{"malloc", "malloc"}, {"_dl_new_object", "_dl_new_object"}},
	[11] = {{"malloc", "malloc"}}, /* a program's own wrapper */
	/* As clang 14 with libc++ 14, jemalloc 5.3 and mimalloc 2.0 have them. */
	[12] = {{"_ZNSt3__121__libcpp_operator_newB6v14006ImEEPvT_",
		 "void* std::__1::__libcpp_operator_new<unsigned long>(unsigned long)"}},
	[13] = {{"_ZNSt3__117__libcpp_allocateB6v14006Emm",
		 "std::__1::__libcpp_allocate(unsigned long, unsigned long)"}},
	[14] = {{"_ZNSt3__19allocatorIiE8allocateB6v14006Em", "std::__1::allocator<int>::allocate(unsigned long)"}},
	[15] = {{"_ZNSt3__116allocator_traitsINS_9allocatorIiEEE8allocateB6v14006ERS2_m",
		 "std::__1::allocator_traits<std::__1::allocator<int> >::allocate(std::__1::allocator<int>&, unsigned long)"}},
	[16] = {{"_ZL14alignedNewImplmSt11align_val_tb", "alignedNewImpl(unsigned long, std::align_val_t, bool)"}},
	[17] = {{"_Z7newImplILb0EEPvm", "void* newImpl<false>(unsigned long)"}},
	[18] = {{"mi_posix_memalign", "mi_posix_memalign"}},
	[19] = {{"_ZNSt3__112__get_helperI5StoreEEPNS_9allocatorIiEEm",
		 "std::__1::allocator<int>* std::__1::__get_helper<Store>(unsigned long)"}},
	[20] = {{"_ZN4mine7newImplEm", "mine::newImpl(unsigned long)"}},
	[21] = {{"posix_memalign", "posix_memalign"}}, /* of tcmalloc, which calls memalign */
};
#define LOCATIONS (sizeof(names) / sizeof(names[0]))

static struct profile *profile;

static int setup(void **state)
{
	(void)state;
	profile = calloc(1, sizeof(*profile));
	profile->locations = calloc(LOCATIONS, sizeof(*profile->locations));
	profile->location_count = LOCATIONS;
	profile->samples = calloc(8, sizeof(*profile->samples));
	for (u32 i = 0; i < LOCATIONS; i++) {
		struct profile_location *location = &profile->locations[i];

		location->lines = calloc(LINES_MAX, sizeof(*location->lines));
		for (u32 j = 0; j < LINES_MAX && names[i][j][0]; j++) {
			location->lines[j].system_name = (char *)names[i][j][0];
			location->lines[j].function = (char *)names[i][j][1];
			location->line_count++;
		}
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	profile_free(profile);
	return 0;
}

/* Stacks are written as strings, a location each from '0' on, leaf first. */
static void add(const char *stack, u64 size, u64 alloc_count, u64 inuse_count)
{
	struct profile_sample *sample = &profile->samples[profile->sample_count++];

	sample->depth = (u32)strlen(stack);
	sample->location = profile_stack(profile, sample->depth);
	for (u32 i = 0; i < sample->depth; i++)
		sample->location[i] = (u32)(stack[i] - '0');
	sample->size = size;
	sample->alloc_count = alloc_count;
	sample->inuse_count = inuse_count;
}

static void assert_sample(u32 index, const char *stack, u64 size, u64 alloc_count, u64 inuse_count)
{
	const struct profile_sample *sample = &profile->samples[index];
	char found[16] = "";

	assert_true(index < profile->sample_count);
	for (u32 i = 0; i < sample->depth; i++)
		found[i] = (char)('0' + sample->location[i]);
	assert_string_equal(found, stack);
	assert_int_equal(sample->size, size);
	assert_int_equal(sample->alloc_count, alloc_count);
	assert_int_equal(sample->inuse_count, inuse_count);
}

/* What asked on behalf of the program goes; which of its ways it took makes no difference then. */
static void test_symbolize_hide_allocator_begins_stacks_in_the_program(void **state)
{
	(void)state;
	add("190", 8, 1, 1);
	add("2190", 8, 2, 0);
	add("3490", 16, 4, 0);
	symbolize_hide_allocator(profile);
	assert_int_equal(profile->sample_count, 2);
	assert_sample(0, "90", 8, 3, 1);
	assert_sample(1, "90", 16, 4, 0);
}

/* Inlined into a function of the program, it goes and that stays. */
static void test_symbolize_hide_allocator_hides_what_was_inlined(void **state)
{
	(void)state;
	add("50", 8, 1, 0);
	add("150", 16, 1, 0);
	symbolize_hide_allocator(profile);
	assert_sample(0, "50", 8, 1, 0);
	assert_sample(1, "50", 16, 1, 0);
	assert_int_equal(profile->locations[5].line_count, 1);
	assert_string_equal(profile->locations[5].lines[0].function, "build()");
	add(":0", 24, 1, 0);
	add(";0", 32, 1, 0);
	symbolize_hide_allocator(profile);
	assert_sample(2, ":0", 24, 1, 0);
	assert_string_equal(profile->locations[10].lines[0].function, "_dl_new_object");
	assert_sample(3, ";0", 32, 1, 0);
}

/* One location after the other: whatever each is, main is left. */
static void test_symbolize_hide_allocator_knows_the_libraries_beside_libstdcxx(void **state)
{
	(void)state;
	add("<=>?90", 8, 1, 0);
	add("@90", 16, 1, 0);
	add("A90", 24, 1, 0);
	add("B90", 32, 1, 0);
	add("E90", 40, 1, 0);
	add("C90", 48, 1, 0);
	add("D90", 56, 1, 0);
	symbolize_hide_allocator(profile);
	assert_int_equal(profile->sample_count, 7);
	for (u32 i = 0; i < 5; i++)
		assert_sample(i, "90", 8 + 8 * i, 1, 0);
	assert_sample(5, "C90", 48, 1, 0);
	assert_sample(6, "D90", 56, 1, 0);
}

/* A class's own, a name that only begins alike, no name. */
static void test_symbolize_hide_allocator_keeps_what_is_the_programs(void **state)
{
	(void)state;
	add("60", 16, 1, 0);
	add("70", 24, 1, 0);
	add("80", 32, 1, 0);
	add("0", 40, 1, 0);
	add("910", 48, 1, 0);
	symbolize_hide_allocator(profile);
	assert_int_equal(profile->sample_count, 5);
	assert_sample(0, "60", 16, 1, 0);
	assert_sample(1, "70", 24, 1, 0);
	assert_sample(2, "80", 32, 1, 0);
	assert_sample(3, "0", 40, 1, 0);
	assert_sample(4, "910", 48, 1, 0);
}

/* A stack that ends in the allocator, being cut, still says that much; one without frames stays so. */
static void test_symbolize_hide_allocator_never_hides_a_whole_stack(void **state)
{
	(void)state;
	add("21", 8, 1, 0);
	add("", 8, 2, 0);
	symbolize_hide_allocator(profile);
	assert_int_equal(profile->sample_count, 2);
	assert_sample(0, "1", 8, 1, 0);
	assert_sample(1, "", 8, 2, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_symbolize_hide_allocator_begins_stacks_in_the_program),
		TEST(test_symbolize_hide_allocator_hides_what_was_inlined),
		TEST(test_symbolize_hide_allocator_knows_the_libraries_beside_libstdcxx),
		TEST(test_symbolize_hide_allocator_keeps_what_is_the_programs),
		TEST(test_symbolize_hide_allocator_never_hides_a_whole_stack),
	};

	return cmocka_run_group_tests_name("symbolize_samples", tests, NULL, NULL);
}
