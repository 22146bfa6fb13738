/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of push, and of --push beside record and serve. */
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
	refuse(*state, TO "--push x -p 1", "'--push' is an option of record and serve");
	refuse(*state, "push --mappings --to x -p 1", "'--mappings' is an option of record and serve, not of push");
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

#define ALL_OPTIONS "--label zone=eu --auth-file A --tenant T --header-file H --ca-file C --spool S --spool-size 4M "

static void assert_all_options(const struct push_options *push)
{
	assert_string_equal(push->to, "parca+http://h");
	assert_string_equal(label_list_find(&push->labels, "zone"), "eu");
	assert_string_equal(push->auth_file, "A");
	assert_string_equal(push->tenant, "T");
	assert_string_equal(push->header_file, "H");
	assert_string_equal(push->ca_file, "C");
	assert_string_equal(push->spool, "S");
	assert_int_equal(push->spool_bytes, 4 << 20);
}

static void test_cli_push_beside_another_verb_has_its_options(void **state)
{
	struct scene *scene = *state;

	assert_all_options(&accept(scene, TO ALL_OPTIONS "DIR")->push);
	assert_null(accept(scene, "record -p 1")->push.to);
	assert_null(accept(scene, "serve -p 1")->push.to);
	assert_all_options(&accept(scene, "record --push parca+http://h " ALL_OPTIONS "-p 1")->push);
	assert_all_options(&accept(scene, "serve --push parca+http://h " ALL_OPTIONS "-p 1")->push);
	assert_true(accept(scene, "serve --push parca+http://h --every 5 -p 1")->push.every_s == 5);
	assert_true(accept(scene, "record --push parca+http://h --interval 5 -p 1")->record.interval_s == 5);
}

static void test_cli_push_options_go_with_push(void **state)
{
	static const char *const options[] = {"--label a=b",	 "--auth-file A", "--tenant T",
					      "--header-file H", "--ca-file C",	  "--spool S"};
	char line[128];

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		snprintf(line, sizeof(line), "record %s -p 1", options[i]);
		refuse(*state, line, "goes with '--push URL'");
		snprintf(line, sizeof(line), "serve %s -p 1", options[i]);
		refuse(*state, line, "goes with '--push URL'");
	}
	refuse(*state, "serve --every 5 -p 1", "'--every' goes with '--push URL'");
	refuse(*state, "record --push x --every 5 -p 1", "'--every' is an option of serve and push");
	refuse(*state, "serve --push x --spool-size 4M -p 1", "goes with '--spool DIR'");
	refuse(*state, "serve --push '' -p 1", "--push");
	refuse(*state, "top --push x -p 1", "'--push' is an option of record and serve");
}

/* What was recorded is pushed by the verb of that name, once. */
static void test_cli_push_beside_serve_is_of_what_is_traced(void **state)
{
	refuse(*state, "serve --push x DIR", "'--push' sends what is traced, and 'DIR' has been recorded");
	assert_string_equal(accept(*state, TO "--label a=b --tenant T DIR")->push.path, "DIR");
	refuse(*state, TO "-d 5 DIR", "'-d' is about tracing, and 'DIR' has been recorded");
	refuse(*state, "serve --mappings DIR", "'--mappings' is about tracing, and 'DIR' has been recorded");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cli_push_needs_a_store_and_a_target),
		TEST(test_cli_push_labels_may_be_given_again),
		TEST(test_cli_push_spool_size_goes_with_a_spool),
		TEST(test_cli_push_beside_another_verb_has_its_options),
		TEST(test_cli_push_options_go_with_push),
		TEST(test_cli_push_beside_serve_is_of_what_is_traced),
	};

	return cmocka_run_group_tests_name("options_push", tests, NULL, NULL);
}
