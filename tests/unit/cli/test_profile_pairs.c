/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profile_pairs.c: which files of two recordings are of one process, or of one program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cli/profile_pairs.h"

/* Both lists as words; the pairs as "before=after" with "-" for none. */
static void assert_pairs(const char *before, const char *after, const char *wanted)
{
	char *words[2] = {strdup(before), strdup(after)}, *names[2][16] = {{NULL}}, found[1024] = "";
	struct profile_pair *pairs;
	u32 count;

	for (int side = 0; side < 2; side++) {
		int n = 0;

		for (char *word = strtok(words[side], " "); word; word = strtok(NULL, " "))
			names[side][n++] = word;
	}
	pairs = profile_pairs_find(names[0], names[1], &count);
	assert_non_null(pairs);
	for (u32 i = 0; i < count; i++)
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s=%s", i ? " " : "",
			 pairs[i].before ? pairs[i].before : "-", pairs[i].after ? pairs[i].after : "-");
	assert_string_equal(found, wanted);
	free(pairs);
	free(words[0]);
	free(words[1]);
}

static void test_pairs_of_one_process(void **state)
{
	(void)state;
	assert_pairs("1.a.pb.gz 2.b.pb.gz", "1.a.pb.gz 2.b.pb.gz", "1.a.pb.gz=1.a.pb.gz 2.b.pb.gz=2.b.pb.gz");
	assert_pairs("", "", "");
}

static void test_pairs_of_a_program_that_was_restarted(void **state)
{
	(void)state;
	assert_pairs("1.a.pb.gz 2.b.pb.gz", "7.b.pb.gz 1.a.pb.gz", "2.b.pb.gz=7.b.pb.gz 1.a.pb.gz=1.a.pb.gz");
	assert_pairs("1.a-2.pb.gz", "7.a.pb.gz 8.a-2.pb.gz", "1.a-2.pb.gz=8.a-2.pb.gz -=7.a.pb.gz");
}

/* A PID that is taken again, by another program that was there before as well. */
static void test_pairs_a_program_before_a_pid(void **state)
{
	(void)state;
	assert_pairs("1.a.pb.gz 2.b.pb.gz", "1.b.pb.gz 3.a.pb.gz", "2.b.pb.gz=1.b.pb.gz 1.a.pb.gz=3.a.pb.gz");
}

static void test_pairs_of_a_process_that_took_another_name(void **state)
{
	(void)state;
	assert_pairs("1.starting.pb.gz 12.x.pb.gz", "1.ready.pb.gz", "1.starting.pb.gz=1.ready.pb.gz 12.x.pb.gz=-");
}

/* Which of several is meant is not known. */
static void test_pairs_no_one_with_one_of_several(void **state)
{
	(void)state;
	assert_pairs("1.a.pb.gz 2.a.pb.gz", "3.a.pb.gz", "1.a.pb.gz=- 2.a.pb.gz=- -=3.a.pb.gz");
	assert_pairs("1.a.pb.gz 2.a.pb.gz", "2.a.pb.gz 3.a.pb.gz", "2.a.pb.gz=2.a.pb.gz 1.a.pb.gz=3.a.pb.gz");
	assert_pairs("1.a.pb.gz", "2.a.pb.gz 3.a.pb.gz", "1.a.pb.gz=- -=2.a.pb.gz -=3.a.pb.gz");
}

static void test_pairs_of_files_named_by_hand(void **state)
{
	(void)state;
	assert_pairs("monday.pb.gz merged.sh.pb.gz", "tuesday.pb.gz merged.sh.pb.gz",
		     "merged.sh.pb.gz=merged.sh.pb.gz monday.pb.gz=- -=tuesday.pb.gz");
}

#define MANY	 100000
#define CPU_MOST 10 /* seconds: it takes a hundredth of that, and each with each takes more than twice as many */

/* As many as a machine has in a day. Each third stays, is started again, or takes another name. */
static void test_pairs_of_very_many(void **state)
{
	static char *names[2][MANY + 1];
	static const char *const formats[2][3] = {{"%u.a%u.pb.gz", "%u.b%u.pb.gz", "%u.c%u.pb.gz"},
						  {"%u.a%u.pb.gz", "9%u.b%u.pb.gz", "%u.d%u.pb.gz"}};
	struct profile_pair *pairs;
	clock_t begun;
	u32 count;

	(void)state;
	for (u32 side = 0; side < 2; side++)
		for (u32 i = 0; i < MANY; i++)
			assert_true(asprintf(&names[side][i], formats[side][i % 3], 1000000 + i, i) > 0);
	begun = clock();
	pairs = profile_pairs_find(names[0], names[1], &count);
	assert_true((clock() - begun) / CLOCKS_PER_SEC < CPU_MOST);
	assert_non_null(pairs);
	assert_int_equal(count, MANY);
	for (u32 i = 0; i < MANY; i++) {
		assert_ptr_equal(pairs[i].before, names[0][i]);
		assert_ptr_equal(pairs[i].after, names[1][i]);
		free(names[0][i]);
		free(names[1][i]);
	}
	free(pairs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs_of_one_process),
		cmocka_unit_test(test_pairs_of_a_program_that_was_restarted),
		cmocka_unit_test(test_pairs_a_program_before_a_pid),
		cmocka_unit_test(test_pairs_of_a_process_that_took_another_name),
		cmocka_unit_test(test_pairs_no_one_with_one_of_several),
		cmocka_unit_test(test_pairs_of_files_named_by_hand),
		cmocka_unit_test(test_pairs_of_very_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
