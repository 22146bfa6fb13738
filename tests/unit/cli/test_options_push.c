/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of push. */
#include "cli_scene.h"

#define TO "push --to parca+http://h "

static void test_cli_push_needs_a_store_and_a_target(void **state)
{
	struct options *options = accept(*state, TO "-p 1");

	assert_int_equal(options->verb, SUBCOMMAND_PUSH);
	assert_string_equal(options->push.to, "parca+http://h");
	assert_string_equal(accept(*state, TO "DIR")->push.path, "DIR");
	refuse(*state, "push -p 1", "no store to push to");
	refuse(*state, TO, "no target");
	refuse(*state, TO "-p 1 DIR", "has been recorded");
	refuse(*state, "record --to x -p 1", "'--to' is an option of push");
}

static void test_cli_push_labels_may_be_given_again(void **state)
{
	struct options *options = accept(*state, TO "--label zone=eu --label service.name=a=b -p 1");

	assert_int_equal(options->push.labels.count, 2);
	assert_string_equal(label_list_find(&options->push.labels, "service.name"), "a=b");
	refuse(*state, TO "--label zone -p 1", "'--label zone' is not of the form NAME=VALUE");
	refuse(*state, TO "--label a=b --label a=c -p 1", "was given before");
}

static void test_cli_push_spool_size_goes_with_a_spool(void **state)
{
	assert_int_equal(accept(*state, TO "--spool S -p 1")->push.spool_bytes, 256 << 20);
	assert_int_equal(accept(*state, TO "--spool S --spool-size 4M -p 1")->push.spool_bytes, 4 << 20);
	refuse(*state, TO "--spool-size 4M -p 1", "goes with '--spool DIR'");
	refuse(*state, TO "--every 0 -p 1", "more than 0 seconds");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cli_push_needs_a_store_and_a_target),
		TEST(test_cli_push_labels_may_be_given_again),
		TEST(test_cli_push_spool_size_goes_with_a_spool),
	};

	return cmocka_run_group_tests_name("options_push", tests, NULL, NULL);
}
