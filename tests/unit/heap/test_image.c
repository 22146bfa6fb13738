/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image.c: one image, its name and the closing terms of its ledger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "profile/ledger.h"
#include "heap/image.h"

static struct image *process;

static int setup(void **state)
{
	(void)state;
	process = image_new(9, 1234, 2, 1, 77);
	return process ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	image_free(process);
	return 0;
}

static void test_image_new_starts_empty(void **state)
{
	(void)state;
	assert_int_equal(process->number, 9);
	assert_int_equal(process->pid, 1234);
	assert_int_equal(process->ordinal, 2);
	assert_int_equal(process->start_ns, 77);
	assert_int_equal(process->end_ns, 0);
	assert_int_equal(process->heap.sample_bytes, 1);
	assert_non_null(process->mappings);
	assert_string_equal(process->comm, "");
	assert_false(process->ended);
}

static void test_image_free_of_null_is_nothing(void **state)
{
	(void)state;
	image_free(NULL);
}

static void test_image_set_comm_is_cut_and_terminated(void **state)
{
	static const char unterminated[16] = {'0', '1', '2', '3', '4', '5', '6', '7',
					      '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

	(void)state;
	image_set_comm(process, unterminated);
	assert_string_equal(process->comm, "0123456789abcde");
	image_set_comm(process, "sh");
	assert_string_equal(process->comm, "sh");
	for (size_t i = 2; i < sizeof(process->comm); i++)
		assert_int_equal(process->comm[i], 0);
	image_set_comm(process, "");
	assert_string_equal(process->comm, "");
}

/* Seven samples: two freed, one moved, one refused, one unfollowed, two in use. */
static void fill(void)
{
	for (u64 id = 1; id <= 5; id++)
		assert_int_equal(heap_alloc(&process->heap, id, id, 100, 1, true, id), 0);
	assert_int_equal(heap_alloc(&process->heap, 6, 6, 100, 1, false, 6), 0);
	assert_int_equal(heap_alloc(&process->heap, 7, 7, 100, 1, false, 7), 0);
	heap_free(&process->heap, 1);
	heap_free(&process->heap, 2);
	heap_move(&process->heap, 3, 1);
	process->ledger[COUNTER_SAMPLED] = 7;
	process->ledger[COUNTER_REFUSED] = 1;
}

static void assert_terms(u64 freed, u64 live, u64 ended, u64 entry_only)
{
	assert_int_equal(process->ledger[COUNTER_FREED], freed);
	assert_int_equal(process->ledger[COUNTER_LIVE], live);
	assert_int_equal(process->ledger[COUNTER_ENDED], ended);
	assert_int_equal(process->ledger[COUNTER_ENTRY_ONLY], entry_only);
	assert_int_equal(ledger_missing(process->ledger), 0);
}

static void test_image_balance_living_image_closes_its_ledger(void **state)
{
	(void)state;
	fill();
	image_balance(process);
	assert_terms(3, 2, 0, 1);
}

static void test_image_balance_ended_image_has_ended_instead_of_live(void **state)
{
	(void)state;
	fill();
	process->ended = true;
	image_balance(process);
	assert_terms(3, 0, 2, 1);
}

static void test_image_balance_of_refusals_not_told_of_yet_has_no_entry_only(void **state)
{
	(void)state;
	fill();
	process->ledger[COUNTER_REFUSED] = 4;
	process->ledger[COUNTER_SAMPLED] = 9;
	image_balance(process);
	assert_terms(3, 2, 0, 0);
}

static void test_image_balance_again_changes_nothing_and_later_follows(void **state)
{
	(void)state;
	fill();
	image_balance(process);
	image_balance(process);
	assert_terms(3, 2, 0, 1);
	heap_free(&process->heap, 4);
	image_balance(process);
	assert_terms(4, 1, 0, 1);
	process->ended = true;
	image_balance(process);
	assert_terms(4, 0, 1, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_image_new_starts_empty),
		TEST(test_image_free_of_null_is_nothing),
		TEST(test_image_set_comm_is_cut_and_terminated),
		TEST(test_image_balance_living_image_closes_its_ledger),
		TEST(test_image_balance_ended_image_has_ended_instead_of_live),
		TEST(test_image_balance_of_refusals_not_told_of_yet_has_no_entry_only),
		TEST(test_image_balance_again_changes_nothing_and_later_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
