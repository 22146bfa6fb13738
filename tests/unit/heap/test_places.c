/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "heap/places.h"

#define GRANULE (2ULL << 20)

static void assert_list(const struct heap_places *places, const u64 *wanted, u32 count)
{
	u64 *addresses;
	u32 found;

	assert_int_equal(heap_places_list(places, &addresses, &found), 0);
	assert_int_equal(found, count);
	for (u32 i = 0; i < count; i++)
		assert_int_equal(addresses[i], wanted[i]);
	free(addresses);
}

static void test_places_have_one_address_for_two_mebibytes_in_order(void **state)
{
	struct heap_places places = {0};

	(void)state;
	assert_list(&places, NULL, 0);
	heap_places_add(&places, 5 * GRANULE + 32);
	heap_places_add(&places, GRANULE + 64);
	heap_places_add(&places, GRANULE + 96);
	assert_list(&places, (const u64[]){GRANULE + 96, 5 * GRANULE + 32}, 2);
	heap_places_release(&places);
}

/* A freed block leaves its heap behind, unless it was in a mapping of its own. */
static void test_places_forget_a_mapping_of_a_block_alone(void **state)
{
	struct heap_places places = {0};

	(void)state;
	heap_places_add(&places, GRANULE + 32);
	heap_places_freed(&places, GRANULE + 32);
	heap_places_add(&places, 2 * GRANULE + 4096 + 16);
	heap_places_freed(&places, 2 * GRANULE + 16);
	heap_places_freed(&places, 7 * GRANULE + 16);
	assert_list(&places, (const u64[]){GRANULE + 32, 2 * GRANULE + 4096 + 16}, 2);
	heap_places_freed(&places, 2 * GRANULE + 4096 + 16);
	assert_list(&places, (const u64[]){GRANULE + 32}, 1);
	heap_places_release(&places);
}

/* Addresses that no allocator gives out, one after the other. */
static void test_places_are_no_more_than_the_maximum(void **state)
{
	struct heap_places places = {0};
	u64 *addresses;
	u32 count;

	(void)state;
	for (u64 i = 0; i < HEAP_PLACES_MAX + 10ULL; i++)
		heap_places_add(&places, i * GRANULE);
	assert_int_equal(heap_places_list(&places, &addresses, &count), 0);
	assert_int_equal(count, HEAP_PLACES_MAX);
	assert_int_equal(addresses[count - 1], (HEAP_PLACES_MAX - 1) * GRANULE);
	free(addresses);
	heap_places_release(&places);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_are_no_more_than_the_maximum),
		cmocka_unit_test(test_places_have_one_address_for_two_mebibytes_in_order),
		cmocka_unit_test(test_places_forget_a_mapping_of_a_block_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
