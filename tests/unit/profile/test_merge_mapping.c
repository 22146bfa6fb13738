/* SPDX-License-Identifier: GPL-2.0-or-later */
/* merge.c: which mappings of two processes are the same file, and the address of the merged one. */
#include "made_profile.h"

static void test_merge_moves_a_file_to_where_the_first_process_has_it(void **state)
{
	struct merge *merge = new_merge();
	const struct profile *all;
	struct made one, two;

	(void)state;
	make(&one, 1, 0x7f0000000000, "one");
	make(&two, 2, 0x7fee00001000, "two");
	sample(&one, 0, 64, 2, 1);
	sample(&two, 0, 64, 3, 3);
	add(merge, &one);
	add(merge, &two);
	all = merge_profile(merge);
	assert_int_equal(all->mapping_count, 1);
	assert_int_equal(all->mappings[0].start, 0x7f0000000000);
	assert_string_equal(all->mappings[0].path, LIBRARY);
	assert_true(all->mappings[0].has_functions);
	assert_int_equal(all->location_count, 2);
	assert_int_equal(all->sample_count, 2);
	assert_ptr_equal(frame(all, 0, 0), frame(all, 1, 0));
	assert_int_equal(frame(all, 1, 0)->address, 0x7f0000000010);
	assert_string_equal(frame(all, 1, 1)->lines[0].function, "root");
	assert_int_equal(all->labels[all->samples[0].labels - 1].pid, 1);
	assert_int_equal(all->labels[all->samples[1].labels - 1].pid, 2);
	merge_free(merge);
}

static void test_merge_another_build_of_a_file_is_another_file_at_a_place_of_its_own(void **state)
{
	struct merge *merge = new_merge();
	const struct profile *all;
	struct made one, two;

	(void)state;
	make(&one, 1, 0x400000, "one");
	make(&two, 2, 0x402000, "two");
	two.mappings[0].build_id[0] = 9;
	two.mappings[0].has_filenames = false;
	sample(&one, 0, 64, 2, 1);
	sample(&two, 0, 64, 3, 3);
	add(merge, &one);
	add(merge, &two);
	all = merge_profile(merge);
	assert_int_equal(all->mapping_count, 2);
	assert_true(all->mappings[1].start >= all->mappings[0].end);
	assert_int_equal(all->mappings[1].end - all->mappings[1].start, 0x8000);
	assert_int_equal(all->location_count, 4);
	assert_int_equal(frame(all, 1, 0)->address, all->mappings[1].start + 0x10);
	assert_true(all->mappings[0].has_filenames);
	assert_false(all->mappings[1].has_filenames);
	merge_free(merge);
}

static void test_merge_without_build_ids_goes_by_device_and_inode(void **state)
{
	struct merge *merge = new_merge();
	struct made one, two, three;

	(void)state;
	make(&one, 1, 0x400000, "one");
	make(&two, 2, 0x400000, "two");
	make(&three, 3, 0x600000, "three");
	one.mappings[0].build_id_size = two.mappings[0].build_id_size = three.mappings[0].build_id_size = 0;
	one.mappings[0].inode = three.mappings[0].inode = 7;
	two.mappings[0].inode = 8;
	sample(&one, 0, 64, 1, 1);
	sample(&two, 0, 64, 1, 1);
	sample(&three, 0, 64, 1, 1);
	add(merge, &one);
	add(merge, &two);
	add(merge, &three);
	assert_int_equal(merge_profile(merge)->mapping_count, 2);
	merge_free(merge);
}

/* At the same address of two processes different code may have been made. */
static void test_merge_keeps_code_of_no_file_where_it_is_and_apart_by_name(void **state)
{
	struct merge *merge = new_merge();
	const struct profile *all;
	struct made one, two;

	(void)state;
	make(&one, 1, 0x400000, "JS:one");
	make(&two, 2, 0x500000, "JS:two");
	one.locations[JIT].mapping = MAPPING_UNKNOWN;
	two.locations[JIT].mapping = MAPPING_UNKNOWN;
	sample(&one, 1, 64, 1, 1);
	sample(&two, 1, 64, 1, 1);
	add(merge, &one);
	add(merge, &two);
	all = merge_profile(merge);
	assert_int_equal(frame(all, 0, 0)->address, JIT_ADDRESS);
	assert_int_equal(frame(all, 1, 0)->address, JIT_ADDRESS);
	assert_string_equal(frame(all, 0, 0)->lines[0].function, "JS:one");
	assert_string_equal(frame(all, 1, 0)->lines[0].function, "JS:two");
	assert_int_equal(frame(all, 0, 0)->mapping, MAPPING_UNKNOWN);
	assert_ptr_equal(frame(all, 0, 1), frame(all, 1, 1));
	merge_free(merge);
}

static void test_merge_anonymous_memory_is_not_moved(void **state)
{
	struct merge *merge = new_merge();
	const struct profile *all;
	struct made one, two;

	(void)state;
	make(&one, 1, 0x400000, "same");
	make(&two, 2, 0x500000, "same");
	two.mappings[1].start += 0x1000;
	sample(&one, 1, 64, 1, 1);
	sample(&two, 1, 64, 1, 1);
	add(merge, &one);
	add(merge, &two);
	all = merge_profile(merge);
	assert_int_equal(all->mapping_count, 3);
	assert_int_equal(frame(all, 0, 0)->address, JIT_ADDRESS);
	assert_int_equal(frame(all, 1, 0)->address, JIT_ADDRESS);
	merge_free(merge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge_moves_a_file_to_where_the_first_process_has_it),
		cmocka_unit_test(test_merge_another_build_of_a_file_is_another_file_at_a_place_of_its_own),
		cmocka_unit_test(test_merge_without_build_ids_goes_by_device_and_inode),
		cmocka_unit_test(test_merge_keeps_code_of_no_file_where_it_is_and_apart_by_name),
		cmocka_unit_test(test_merge_anonymous_memory_is_not_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
