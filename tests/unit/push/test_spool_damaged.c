/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spool.c, spool_file.c: files that are torn, tampered with or of others are not sent, and each loss is counted and said. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/push/spool_scene.h"

static void overwrite(const char *name, off_t offset, char byte)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

/* Each byte of the header, and some of what follows: whatever it is, it is noticed, and the others come out. */
static void test_spool_notices_each_changed_byte(void **state)
{
	struct push_request request;

	(void)state;
	for (off_t at = 0; at < 120; at++) {
		u64 damaged;
		char byte;
		int fd;

		add(1, 100);
		add(2, 100);
		assert_int_equal(reopen(MIB, STORE), 0);
		fd = open(file_of(2 * (u64)at + 1), O_RDONLY | O_CLOEXEC);
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		close(fd);
		overwrite(file_of(2 * (u64)at + 1), at, (char)(byte ^ 0x10));
		if (at % 2)
			assert_int_equal(reopen(MIB, STORE), 0);
		if (push_spool_count(spool) == 2)
			assert_int_equal(push_spool_load(spool, &request), -EBADMSG);
		damaged = ledger.dropped[PUSH_SPOOL_DAMAGED].requests;
		assert_int_equal(damaged, 1);
		assert_true(push_ledger_balances(&ledger));
		assert_first(2, 100);
		drop_first();
	}
}

static void test_spool_notices_torn_and_longer_files(void **state)
{
	static const off_t sizes[] = {0, 1, 63, 64, 70, 163, 5000};

	(void)state;
	for (unsigned int i = 1; i <= 8; i++)
		add(i, 100);
	for (unsigned int i = 0; i < 7; i++)
		assert_int_equal(truncate(file_of(i + 1), sizes[i]), 0);
	assert_int_equal(reopen(MIB, STORE), 0);
	assert_said("what they held is lost");
	assert_int_equal(ledger.dropped[PUSH_SPOOL_DAMAGED].requests, 7);
	assert_first(8, 100);
	assert_true(push_ledger_balances(&ledger));
}

static void test_spool_leaves_alone_what_is_not_its_own(void **state)
{
	(void)state;
	for (unsigned int i = 1; i <= 5; i++)
		add(i, 100);
	assert_int_equal(chmod(file_of(1), 0644), 0);
	assert_int_equal(link(file_of(2), "../work/second"), 0);
	assert_int_equal(rename(file_of(3), "../work/third"), 0);
	assert_int_equal(symlink("../work/third", file_of(3)), 0);
	assert_int_equal(unlink(file_of(4)), 0);
	assert_int_equal(mkfifo(file_of(4), 0600), 0);
	scratch_file("notes.txt", "mine", 0600);
	scratch_file("00000000000000FF.request", "mine", 0600);
	scratch_file("ffffffffffffffff.request", "mine", 0600);
	assert_int_equal(reopen(MIB, STORE), 0);
	assert_said("files in the spool '../spool' are not used: 4, the first '0000000000000001.request'");
	assert_int_equal(push_spool_count(spool), 1);
	assert_first(5, 100);
	add(6, 100);
	drop_first();
	assert_first(6, 100);
	for (u64 i = 1; i <= 4; i++)
		assert_true(scratch_has(file_of(i)));
	assert_true(scratch_has("notes.txt") && scratch_has("ffffffffffffffff.request"));
}

/* Whoever writes there with the right sums: no path that would be another host's, or another request. */
static void test_spool_takes_no_path_or_type_that_would_break_a_request(void **state)
{
	static const struct {
		const char *path, *type;
	} rows[] = {{"@evil.example/", "text/plain"}, {"/a\r\nX: y", "text/plain"},
		    {"/a b", "text/plain"},	      {"", "text/plain"},
		    {"/a", "text/plain\r\nX: y"},     {"/a", ""}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct push_request
			request = {(char *)rows[i].path, rows[i].type, false, (unsigned char *)"x", 1, 1, 1, 1, 0},
			read;

		assert_int_equal(push_spool_add(spool, &request), 0);
		assert_int_equal(push_spool_load(spool, &read), -EBADMSG);
	}
	assert_int_equal(push_spool_count(spool), 0);
}

static void test_spool_of_a_file_that_went_is_a_loss(void **state)
{
	struct push_request request;

	(void)state;
	add(1, 100);
	add(2, 100);
	ledger.taken = ledger.waiting;
	assert_int_equal(unlink(file_of(1)), 0);
	assert_int_equal(push_spool_load(spool, &request), -EBADMSG);
	assert_first(2, 100);
	assert_int_equal(ledger.dropped[PUSH_SPOOL_DAMAGED].samples, 30);
	assert_true(push_ledger_balances(&ledger));
}

static void test_spool_says_of_many_damaged_files_one_sentence(void **state)
{
	(void)state;
	for (u64 i = 1; i <= 300; i++)
		scratch_file(file_of(i), "", 0600);
	assert_int_equal(reopen(MIB, STORE), 0);
	assert_said(
		"files in the spool '../spool' were damaged and are removed, what they held is lost: 300, the first "
		"'0000000000000001.request'");
	assert_int_equal(ledger.dropped[PUSH_SPOOL_DAMAGED].requests, 300);
	assert_false(scratch_has(file_of(300)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(test_spool_notices_each_changed_byte),
		SPOOL_TEST(test_spool_notices_torn_and_longer_files),
		SPOOL_TEST(test_spool_leaves_alone_what_is_not_its_own),
		SPOOL_TEST(test_spool_takes_no_path_or_type_that_would_break_a_request),
		SPOOL_TEST(test_spool_of_a_file_that_went_is_a_loss),
		SPOOL_TEST(test_spool_says_of_many_damaged_files_one_sentence),
	};

	return cmocka_run_group_tests_name("push_spool_damaged", tests, NULL, NULL);
}
