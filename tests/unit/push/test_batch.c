/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batch.c: whatever the sizes, each stack is in one request, none is larger than stores take, and what cannot be sent is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "push/batch.h"

#define PROFILES_MAX 2000
#define ROWS_MAX     100000

static const struct label_list no_labels;
static struct stack_sum rows[ROWS_MAX];
static struct push_profile profiles[PROFILES_MAX];
static u32 count;

/* What was encoded: how often each row, and of which piece. */
static u32 times[ROWS_MAX], part_of[ROWS_MAX];
static u32 requests, largest, most_profiles;
static u64 sent_samples;
static u32 too_many; /* rows that a request must not have; a row alone of `heavy` is too much */
static const struct stack_sum *heavy;
static bool out_of_memory;

static u32 count_rows(const struct push_profile *list, u32 length)
{
	u32 sum = 0;

	for (u32 i = 0; i < length; i++)
		sum += list[i].stacks.count;
	return sum;
}

static bool has_heavy(const struct push_profile *list, u32 length)
{
	for (u32 i = 0; i < length && heavy; i++)
		if (heavy >= list[i].stacks.rows && heavy < list[i].stacks.rows + list[i].stacks.count)
			return true;
	return false;
}

static int encode(const struct push_profile *list, u32 length, unsigned char **ret_body, size_t *ret_size)
{
	u32 sum = count_rows(list, length);

	if (out_of_memory)
		return -ENOMEM;
	if (sum >= too_many || has_heavy(list, length))
		return -EFBIG;
	for (u32 i = 0; i < length; i++)
		for (u32 n = 0; n < list[i].stacks.count; n++) {
			times[list[i].stacks.rows + n - rows]++;
			part_of[list[i].stacks.rows + n - rows] = list[i].part;
		}
	largest = sum > largest ? sum : largest;
	most_profiles = length > most_profiles ? length : most_profiles;
	*ret_body = calloc(1, 1);
	*ret_size = 1;
	return *ret_body ? 0 : -ENOMEM;
}

static int take(const struct push_request *request, void *arg)
{
	assert_ptr_equal(arg, &requests);
	assert_string_equal(request->path, "/path");
	assert_string_equal(request->content_type, "type");
	assert_int_equal(request->size, 1);
	assert_int_equal(request->taken_ns, 77);
	assert_true(request->gzip);
	requests++;
	sent_samples += request->samples;
	return 0;
}

static const struct push_store store = {"/path", "type", encode, NULL};

static int setup(void **state)
{
	(void)state;
	memset(times, 0, sizeof(times));
	memset(part_of, 0, sizeof(part_of));
	count = requests = largest = most_profiles = 0;
	sent_samples = 0;
	too_many = UINT32_MAX;
	heavy = NULL;
	out_of_memory = false;
	return 0;
}

/* One more profile, of the rows behind those of the others. */
static void add(u32 row_count)
{
	const struct stack_sum *from =
		count ? profiles[count - 1].stacks.rows + profiles[count - 1].stacks.count : rows;

	assert_true(from + row_count <= rows + ROWS_MAX && count < PROFILES_MAX);
	profiles[count] =
		(struct push_profile){.labels = &no_labels, .stacks = {.rows = from, .count = row_count}, .part = 1};
	count++;
}

static struct batch send(void)
{
	struct batch batch = {.store = &store, .taken_ns = 77, .send = take, .arg = &requests};

	batch_send(&batch, profiles, count);
	return batch;
}

static void assert_each_once(u32 row_count)
{
	for (u32 i = 0; i < row_count; i++)
		assert_int_equal(times[i], &rows[i] != heavy);
	assert_int_equal(sent_samples, row_count - (heavy != NULL));
	assert_true(largest <= STORE_SAMPLES_MAX);
}

static void test_batch_puts_many_small_ones_into_few_requests(void **state)
{
	(void)state;
	for (u32 i = 0; i < PROFILES_MAX; i++)
		add(40);
	assert_int_equal(send().lost.taken.requests, 0);
	assert_each_once(40 * PROFILES_MAX);
	assert_int_equal(requests, 40 * PROFILES_MAX / STORE_SAMPLES_MAX);
	assert_int_equal(most_profiles, STORE_SAMPLES_MAX / 40);
}

static void test_batch_of_nothing_is_no_request(void **state)
{
	(void)state;
	send();
	assert_int_equal(requests, 0);
}

static void test_batch_cuts_what_has_too_many_samples(void **state)
{
	(void)state;
	add(3);
	add(2 * STORE_SAMPLES_MAX + 5);
	add(STORE_SAMPLES_MAX);
	send();
	assert_each_once(3 * STORE_SAMPLES_MAX + 8);
	assert_int_equal(requests, 5);
	assert_int_equal(part_of[3], 1);
	assert_int_equal(part_of[3 + STORE_SAMPLES_MAX], 2);
	assert_int_equal(part_of[3 + 2 * STORE_SAMPLES_MAX], 3);
	assert_int_equal(part_of[3 + 2 * STORE_SAMPLES_MAX + 5], 1);
}

static void test_batch_halves_what_is_too_large(void **state)
{
	(void)state;
	too_many = 100;
	add(1000);
	for (u32 i = 0; i < 50; i++)
		add(7);
	assert_int_equal(send().lost.taken.requests, 0);
	assert_each_once(1350);
	assert_true(largest < 100);
	assert_int_equal(part_of[999], 1000 / 62 + 1);
	assert_int_equal(part_of[1349], 1);
}

static void test_batch_counts_the_stack_that_is_too_large_alone(void **state)
{
	struct batch batch;

	(void)state;
	add(10);
	add(100);
	add(10);
	heavy = &rows[60];
	batch = send();
	assert_each_once(120);
	assert_int_equal(batch.lost.dropped[PUSH_TOO_LARGE].samples, 1);
	assert_int_equal(batch.lost.dropped[PUSH_TOO_LARGE].profiles, 1);
	assert_true(push_ledger_balances(&batch.lost));
}

static void test_batch_counts_what_there_is_no_memory_for(void **state)
{
	struct batch batch;

	(void)state;
	out_of_memory = true;
	add(10);
	add(5);
	batch = send();
	assert_int_equal(requests, 0);
	assert_int_equal(batch.lost.dropped[PUSH_NO_MEMORY].samples, 15);
	assert_int_equal(batch.lost.dropped[PUSH_NO_MEMORY].profiles, 2);
	assert_true(push_ledger_balances(&batch.lost));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_batch_puts_many_small_ones_into_few_requests),
		TEST(test_batch_of_nothing_is_no_request),
		TEST(test_batch_cuts_what_has_too_many_samples),
		TEST(test_batch_halves_what_is_too_large),
		TEST(test_batch_counts_the_stack_that_is_too_large_alone),
		TEST(test_batch_counts_what_there_is_no_memory_for),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
