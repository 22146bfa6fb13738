/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spool.c, spool_directory.c: what is put in comes out, also in the next run; the oldest give way; which directories serve. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "unit/push/spool_scene.h"

static void test_spool_gives_back_what_was_put_in_oldest_first(void **state)
{
	s64 taken_ns;

	(void)state;
	assert_false(push_spool_first(spool, &taken_ns));
	for (unsigned int i = 1; i <= 50; i++)
		add(i, 100 * i);
	assert_int_equal(ledger.waiting.requests, 50);
	assert_int_equal(ledger.spooled.profiles, 100);
	for (unsigned int i = 1; i <= 50; i++) {
		assert_true(push_spool_first(spool, &taken_ns));
		assert_int_equal(taken_ns, i * 1000);
		assert_first(i, 100 * i);
		drop_first();
	}
	assert_int_equal(push_spool_bytes(spool), 0);
	assert_int_equal(ledger.waiting.samples, 0);
	assert_false(scratch_has(file_of(1)));
}

static void test_spool_outlives_a_run(void **state)
{
	(void)state;
	for (unsigned int i = 1; i <= 20; i++)
		add(i, 5000);
	assert_int_equal(reopen(MIB, STORE), 0);
	assert_string_equal(said.text, "");
	assert_int_equal(ledger.resumed.samples, 600);
	assert_int_equal(push_spool_count(spool), 20);
	for (unsigned int i = 1; i <= 10; i++) {
		assert_first(i, 5000);
		drop_first();
	}
	add(21, 5000);
	assert_int_equal(reopen(MIB, STORE), 0);
	for (unsigned int i = 11; i <= 21; i++) {
		assert_first(i, 5000);
		drop_first();
	}
	assert_true(push_ledger_balances(&ledger));
}

static void test_spool_drops_the_oldest_where_it_is_full(void **state)
{
	(void)state;
	assert_int_equal(reopen(10 * BLOCK, STORE), 0);
	for (unsigned int i = 1; i <= 25; i++) {
		add(i, 2000);
		assert_true(push_spool_bytes(spool) <= 10 * BLOCK);
	}
	ledger.taken.requests = 25;
	assert_int_equal(ledger.dropped[PUSH_SPOOL_FULL].requests, 15);
	assert_int_equal(ledger.waiting.requests, 10);
	assert_first(16, 2000);
	assert_false(scratch_has(file_of(15)));
	/* The next run may use less. */
	assert_int_equal(reopen(4 * BLOCK, STORE), 0);
	assert_int_equal(ledger.dropped[PUSH_SPOOL_FULL].requests, 6);
	assert_first(22, 2000);
	assert_true(push_ledger_balances(&ledger));
}

static void put_back(u32 tries)
{
	push_spool_put_back(spool, &(struct push_request){.tries = tries});
}

static void test_spool_keeps_the_tries_of_a_request(void **state)
{
	struct push_request request;

	(void)state;
	add(1, 100);
	assert_int_equal(push_spool_load(spool, &request), 0);
	assert_int_equal(request.tries, 0);
	put_back(2);
	push_request_free(&request);
	assert_int_equal(push_spool_load(spool, &request), 0);
	assert_int_equal(request.tries, 2);
	push_request_free(&request);
}

static void test_spool_keeps_what_is_under_way(void **state)
{
	(void)state;
	assert_int_equal(reopen(3 * BLOCK, STORE), 0);
	for (unsigned int i = 1; i <= 3; i++)
		add(i, 2000);
	assert_first(1, 2000);
	add(4, 2000);
	add(5, 2000);
	drop_first();
	assert_first(4, 2000);
	put_back(2);
	add(6, 2000);
	add(7, 2000);
	assert_first(5, 2000);
	assert_int_equal(ledger.dropped[PUSH_SPOOL_FULL].requests, 3);
}

static void test_spool_refuses_what_is_larger_than_itself(void **state)
{
	struct push_request request = request_make(9, 4 * BLOCK, 0);

	(void)state;
	assert_int_equal(reopen(4 * BLOCK, STORE), 0);
	add(1, 2000);
	assert_int_equal(push_spool_add(spool, &request), -E2BIG);
	assert_first(1, 2000);
	push_request_free(&request);
}

/* What is in the way is about to go. */
static void test_spool_has_no_room_now_beside_what_is_under_way(void **state)
{
	struct push_request request = request_make(2, 2 * BLOCK, 2000);

	(void)state;
	assert_int_equal(reopen(4 * BLOCK, STORE), 0);
	add(1, 2 * BLOCK);
	assert_first(1, 2 * BLOCK);
	assert_int_equal(push_spool_add(spool, &request), -EBUSY);
	assert_int_equal(ledger.dropped[PUSH_SPOOL_FULL].requests, 0);
	drop_first();
	assert_int_equal(push_spool_add(spool, &request), 0);
	assert_first(2, 2 * BLOCK);
	push_request_free(&request);
}

/* Files without a body, written as other runs would have, but without flushing each. */
static void write_file(u64 number)
{
	struct spool_header header = {
		.magic = SPOOL_MAGIC, .number = number, .profiles = 1, .path_length = 1, .type_length = 1};
	char name[SPOOL_FILE_NAME_MAX];
	FILE *file;

	header.content_crc = (u32)crc32(0, (const unsigned char *)"/t", 2);
	header.header_crc = (u32)crc32(0, (const unsigned char *)&header, offsetof(struct spool_header, header_crc));
	spool_file_name(number, name);
	file = fopen(name, "we");
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	assert_int_equal(fwrite(&header, sizeof(header), 1, file), 1);
	assert_int_equal(fwrite("/t", 1, 2, file), 2);
	assert_int_equal(fclose(file), 0);
}

static void test_spool_has_a_most_of_files(void **state)
{
	const u64 many = PUSH_SPOOL_FILES_MAX + 3;

	(void)state;
	for (u64 i = 1; i <= many; i++)
		write_file(i);
	assert_int_equal(reopen(many * 2 * BLOCK, STORE), 0);
	assert_int_equal(push_spool_count(spool), PUSH_SPOOL_FILES_MAX);
	assert_int_equal(ledger.dropped[PUSH_SPOOL_FULL].requests, 3);
	add(1, 100);
	assert_int_equal(push_spool_count(spool), PUSH_SPOOL_FILES_MAX);
	assert_false(scratch_has(file_of(4)));
	assert_true(scratch_has(file_of(5)));
}

/* --- which directories --- */

static void test_spool_serves_one_heaptap(void **state)
{
	struct push_spool_options options = {"../spool", STORE, MIB};
	struct push_spool *other;
	int err;

	(void)state;
	capture_begin(&said, stderr);
	err = push_spool_open(&options, &ledger, &other);
	capture_end(&said);
	assert_int_equal(err, -EWOULDBLOCK);
	assert_said("the spool '../spool' is in use by another heaptap");
}

static void test_spool_serves_one_store_at_a_time(void **state)
{
	(void)state;
	assert_int_equal(reopen(MIB, "http://other:7070"), 0);
	add(1, 100);
	assert_int_equal(reopen(MIB, STORE), -EEXIST);
	assert_said("the spool '../spool' holds 1 requests for 'http://other:7070'");
	assert_int_equal(ledger.resumed.requests, 0);
	assert_int_equal(reopen(MIB, "http://other:7070"), 0);
	assert_first(1, 100);
	drop_first();
	assert_int_equal(reopen(MIB, STORE), 0);
}

/* Neither what would not fit, nor what is damaged: nothing there is this run's. */
static void test_spool_of_another_store_stays_as_it_is(void **state)
{
	(void)state;
	for (unsigned int i = 1; i <= 8; i++)
		add(i, 2000);
	assert_int_equal(truncate(file_of(8), 100), 0);
	assert_int_equal(reopen(3 * BLOCK, "http://other:7070"), -EEXIST);
	assert_said("the spool '../spool' holds 7 requests for 'http://store:4040'");
	assert_null(strstr(said.text, "damaged"));
	for (u64 i = 1; i <= 8; i++)
		assert_true(scratch_has(file_of(i)));
	assert_int_equal(reopen(3 * BLOCK, STORE), 0);
	assert_int_equal(ledger.resumed.requests, 8);
	assert_int_equal(ledger.dropped[PUSH_SPOOL_DAMAGED].requests, 1);
	assert_int_equal(ledger.dropped[PUSH_SPOOL_FULL].requests, 4);
	assert_first(5, 2000);
	assert_true(push_ledger_balances(&ledger));
}

/* They are not this run's to remove either. */
static void test_spool_of_another_store_keeps_files_that_are_all_damaged(void **state)
{
	(void)state;
	for (unsigned int i = 1; i <= 2; i++) {
		add(i, 2000);
		assert_int_equal(truncate(file_of(i), 100), 0);
	}
	assert_int_equal(reopen(MIB, "http://other:7070"), -EEXIST);
	assert_said("the spool '../spool' holds 2 damaged files for 'http://store:4040'");
	for (u64 i = 1; i <= 2; i++)
		assert_true(scratch_has(file_of(i)));
	assert_int_equal(ledger.resumed.requests, 0);
	assert_int_equal(reopen(MIB, STORE), 0);
	assert_int_equal(ledger.dropped[PUSH_SPOOL_DAMAGED].requests, 2);
	assert_int_equal(reopen(MIB, "http://other:7070"), 0);
}

static void test_spool_where_others_write_is_refused(void **state)
{
	(void)state;
	assert_int_equal(chmod(".", 0777), 0);
	assert_int_equal(reopen(MIB, STORE), -EPERM);
	assert_said("others may write there");
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(reopen(MIB, STORE), 0);
}

static void test_spool_is_made_for_its_owner_alone(void **state)
{
	struct push_spool_options options = {"../work/new", STORE, MIB}, none = {"../nowhere/new", STORE, MIB};
	struct stat status;
	int err;

	(void)state;
	push_spool_close(spool);
	spool = NULL;
	capture_begin(&said, stderr);
	err = push_spool_open(&options, &ledger, &spool);
	assert_int_equal(err, 0);
	push_spool_close(spool);
	spool = NULL;
	err = push_spool_open(&none, &ledger, &spool);
	capture_end(&said);
	assert_int_equal(err, -ENOENT);
	assert_said("cannot use the spool '../nowhere/new': No such file or directory");
	assert_int_equal(stat("../work/new", &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
}

/* What a run that was killed was writing. */
static void test_spool_goes_on_where_a_run_was_killed(void **state)
{
	(void)state;
	add(1, 100);
	scratch_file("new", "half", 0600);
	assert_int_equal(reopen(MIB, STORE), 0);
	add(2, 100);
	assert_false(scratch_has("new"));
	assert_first(1, 100);
	drop_first();
	assert_first(2, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(test_spool_gives_back_what_was_put_in_oldest_first),
		SPOOL_TEST(test_spool_outlives_a_run),
		SPOOL_TEST(test_spool_drops_the_oldest_where_it_is_full),
		SPOOL_TEST(test_spool_keeps_the_tries_of_a_request),
		SPOOL_TEST(test_spool_keeps_what_is_under_way),
		SPOOL_TEST(test_spool_refuses_what_is_larger_than_itself),
		SPOOL_TEST(test_spool_has_no_room_now_beside_what_is_under_way),
		SPOOL_TEST(test_spool_has_a_most_of_files),
		SPOOL_TEST(test_spool_serves_one_heaptap),
		SPOOL_TEST(test_spool_serves_one_store_at_a_time),
		SPOOL_TEST(test_spool_of_another_store_stays_as_it_is),
		SPOOL_TEST(test_spool_of_another_store_keeps_files_that_are_all_damaged),
		SPOOL_TEST(test_spool_where_others_write_is_refused),
		SPOOL_TEST(test_spool_is_made_for_its_owner_alone),
		SPOOL_TEST(test_spool_goes_on_where_a_run_was_killed),
	};

	return cmocka_run_group_tests_name("push_spool", tests, NULL, NULL);
}
