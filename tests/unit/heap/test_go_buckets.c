/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decoder of Go's buckets, on memory that was made: cycles, releases, and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "heap/go_buckets.h"

#define BASE	  0xc000000000ull
#define WORDS	  4096
#define LIST	  BASE
#define CYCLE	  (BASE + 8)
#define TEXT	  0x401000ull
#define ETEXT	  0x500000ull
#define FIRST	  8 /* word of the first bucket */
#define BUCKET(n) (FIRST + 64 * (n))

static u64 memory[WORDS];

static int read_made(void *arg, u64 address, void *buffer, size_t size)
{
	(void)arg;
	if (address < BASE || address - BASE > sizeof(memory) || size > sizeof(memory) - (address - BASE))
		return -EFAULT;
	memcpy(buffer, (const char *)memory + (address - BASE), size);
	return 0;
}

static const struct process_memory made = {read_made, NULL};
static struct go_buckets_place place = {LIST, CYCLE, TEXT, ETEXT, 24};

static u64 address_of(unsigned int word)
{
	return BASE + 8ul * word;
}

static unsigned int record_words(void)
{
	return place.minor < 27 ? 4 : 2;
}

/* A bucket of two frames, not in the list so far; its four records are zero. */
static void put_bucket(unsigned int n, u64 size)
{
	u64 *bucket = &memory[BUCKET(n)];

	bucket[2] = 1;
	bucket[3] = 0x1234;
	bucket[4] = size;
	bucket[5] = 2;
	bucket[6] = TEXT + 0x10 + n;
	bucket[7] = TEXT + 0x100;
	bucket[1] = memory[0];
	memory[0] = address_of(BUCKET(n));
}

/* Record 0 is `active`, those behind it are of cycles. */
static void put_counts(unsigned int n, unsigned int record, u64 allocs, u64 frees)
{
	u64 *bucket = &memory[BUCKET(n)], *words = bucket + 8 + record * record_words();

	words[0] = allocs;
	words[1] = frees;
	if (record_words() == 4) {
		words[2] = allocs * bucket[4];
		words[3] = frees * bucket[4];
	}
}

static void set_cycle(u32 cycle, bool flushed)
{
	memory[1] = cycle << 1 | flushed;
}

static int setup(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	place.minor = 24;
	set_cycle(7, true);
	return 0;
}

static void expect(int err, u32 count)
{
	struct go_buckets buckets;

	assert_int_equal(go_buckets_read(&made, &place, &buckets), err);
	assert_int_equal(buckets.count, err ? buckets.count : count);
	go_buckets_release(&buckets);
}

static void test_published_counts_are_read(void **state)
{
	struct go_buckets buckets;

	(void)state;
	put_bucket(0, 48);
	put_counts(0, 0, 10, 4);
	put_counts(0, 2, 99, 0);
	put_bucket(1, 96); /* nothing of it is published */
	put_counts(1, 1, 5, 0);
	assert_int_equal(go_buckets_read(&made, &place, &buckets), 0);
	assert_int_equal(buckets.count, 1);
	assert_int_equal(buckets.cycle, 7);
	assert_false(buckets.at_once);
	assert_int_equal(buckets.buckets[0].size, 48);
	assert_int_equal(buckets.buckets[0].allocs, 10);
	assert_int_equal(buckets.buckets[0].frees, 4);
	assert_int_equal(buckets.buckets[0].depth, 2);
	assert_int_equal(buckets.pcs[buckets.buckets[0].first], TEXT + 0x10);
	assert_int_equal(buckets.pcs[buckets.buckets[0].first + 1], TEXT + 0x100);
	go_buckets_release(&buckets);
}

/* Between the end of a cycle and its publication a reader in the program would publish it: slot 7 mod 3. */
static void test_cycle_that_is_not_published_counts(void **state)
{
	struct go_buckets buckets;

	(void)state;
	put_bucket(0, 48);
	put_counts(0, 0, 10, 4);
	put_counts(0, 1 + 7 % 3, 3, 2);
	put_counts(0, 1 + 8 % 3, 50, 0);
	set_cycle(7, false);
	assert_int_equal(go_buckets_read(&made, &place, &buckets), 0);
	assert_int_equal(buckets.buckets[0].allocs, 13);
	assert_int_equal(buckets.buckets[0].frees, 6);
	go_buckets_release(&buckets);
}

static void test_all_counts_before_the_first_cycle(void **state)
{
	struct go_buckets buckets;

	(void)state;
	set_cycle(0, true);
	put_bucket(0, 48);
	put_counts(0, 1, 1, 1);
	put_counts(0, 2, 2, 0);
	put_counts(0, 3, 4, 0);
	assert_int_equal(go_buckets_read(&made, &place, &buckets), 0);
	assert_true(buckets.at_once);
	assert_int_equal(buckets.buckets[0].allocs, 7);
	assert_int_equal(buckets.buckets[0].frees, 1);
	go_buckets_release(&buckets);
}

static void test_record_of_go_1_27_has_two_words(void **state)
{
	struct go_buckets buckets;

	(void)state;
	place.minor = 27;
	put_bucket(0, 48);
	put_counts(0, 0, 10, 4);
	put_counts(0, 1 + 7 % 3, 3, 2);
	set_cycle(7, false);
	assert_int_equal(go_buckets_read(&made, &place, &buckets), 0);
	assert_int_equal(buckets.buckets[0].allocs, 13);
	assert_int_equal(buckets.buckets[0].frees, 6);
	go_buckets_release(&buckets);
	/* Read as another release's, its counts do not agree. */
	place.minor = 26;
	expect(-EAGAIN, 0);
}

static void test_program_that_has_allocated_nothing_is_empty(void **state)
{
	(void)state;
	expect(0, 0);
}

static void test_what_is_being_written_is_read_again(void **state)
{
	(void)state;
	put_bucket(0, 48);
	put_counts(0, 0, 10, 4);
	memory[BUCKET(0) + 8 + 2]--; /* its bytes are yet to be added */
	expect(-EAGAIN, 0);
	put_counts(0, 0, 4, 10);
	expect(-EAGAIN, 0);
}

static void test_what_is_no_bucket_is_refused(void **state)
{
	static const struct {
		unsigned int word;
		u64 value;
	} wrong[] = {{2, 2}, {4, 0}, {4, 1ull << 50}, {5, GO_DEPTH_MAX + 1}, {5, UINT64_MAX}};

	(void)state;
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		setup(NULL);
		put_bucket(0, 48);
		put_counts(0, 0, 10, 4);
		memory[BUCKET(0) + wrong[i].word] = wrong[i].value;
		expect(-EBADMSG, 0);
	}
}

static void test_list_that_goes_round_is_refused(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < 10; n++) {
		put_bucket(n, 48);
		put_counts(n, 0, 10, 4);
	}
	for (unsigned int back = 0; back < 10; back++) {
		memory[BUCKET(0) + 1] = address_of(BUCKET(back));
		expect(-EBADMSG, 0);
	}
	memory[BUCKET(0) + 1] = 0;
	expect(0, 10);
}

static void test_list_that_leads_nowhere_is_refused(void **state)
{
	(void)state;
	put_bucket(0, 48);
	put_counts(0, 0, 10, 4);
	memory[BUCKET(0) + 1] = BASE + sizeof(memory) - 8;
	expect(-EFAULT, 0);
	memory[BUCKET(0) + 1] = address_of(BUCKET(1)) + 4;
	expect(-EBADMSG, 0);
	memory[BUCKET(0) + 1] = UINT64_MAX - 7;
	expect(-EFAULT, 0);
}

/* One stack of a plugin's is no reason, most of them are. */
static void test_stacks_outside_the_program_are_refused(void **state)
{
	(void)state;
	put_bucket(0, 48);
	put_counts(0, 0, 10, 4);
	memory[BUCKET(0) + 6] = ETEXT + 0x1000;
	expect(0, 1);
	memory[BUCKET(0) + 7] = 0x10;
	expect(-EBADMSG, 0);
}

static void test_readings_agree_if_nothing_was_published(void **state)
{
	struct go_buckets one, other;

	(void)state;
	put_bucket(0, 48);
	put_counts(0, 0, 10, 4);
	assert_int_equal(go_buckets_read(&made, &place, &one), 0);
	put_bucket(1, 64); /* a new one with nothing published */
	put_counts(1, 1, 1, 0);
	assert_int_equal(go_buckets_read(&made, &place, &other), 0);
	assert_true(go_buckets_agree(&one, &other));
	go_buckets_release(&other);
	put_counts(0, 0, 11, 4);
	assert_int_equal(go_buckets_read(&made, &place, &other), 0);
	assert_false(go_buckets_agree(&one, &other));
	go_buckets_release(&other);
	go_buckets_release(&one);
}

static void test_known_releases(void **state)
{
	(void)state;
	assert_false(go_buckets_known(0));
	assert_false(go_buckets_known(18));
	assert_true(go_buckets_known(19));
	assert_true(go_buckets_known(27));
	assert_false(go_buckets_known(28));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_published_counts_are_read),
		TEST(test_cycle_that_is_not_published_counts),
		TEST(test_all_counts_before_the_first_cycle),
		TEST(test_record_of_go_1_27_has_two_words),
		TEST(test_program_that_has_allocated_nothing_is_empty),
		TEST(test_what_is_being_written_is_read_again),
		TEST(test_what_is_no_bucket_is_refused),
		TEST(test_list_that_goes_round_is_refused),
		TEST(test_list_that_leads_nowhere_is_refused),
		TEST(test_stacks_outside_the_program_are_refused),
		TEST(test_readings_agree_if_nothing_was_published),
		TEST(test_known_releases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
