/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expressions of --trigger, and the moments at which one fires. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/trigger.h"

#define MIB (1ULL << 20)

static struct trigger parsed(const char *text)
{
	struct trigger trigger;

	assert_int_equal(trigger_parse(text, &trigger), 0);
	assert_ptr_equal(trigger.text, text);
	return trigger;
}

static void test_trigger_sizes_shares_and_growth(void **state)
{
	(void)state;
	assert_int_equal(parsed("rss=400M").bytes, 400 * MIB);
	assert_false(parsed("rss=400M").cgroup);
	assert_false(parsed("rss=400M").growth);
	assert_int_equal(parsed("rss=80%").percent, 80);
	assert_int_equal(parsed("rss=80%").bytes, 0);
	assert_true(parsed("rss=+0.5G").growth);
	assert_int_equal(parsed("rss=+0.5G").bytes, 512 * MIB);
	assert_int_equal(parsed("cgroup=100%").percent, 100);
	assert_true(parsed("cgroup=100%").cgroup);
	assert_true(parsed("cgroup=+1MiB").cgroup);
	assert_int_equal(parsed("rss=1").bytes, 1);
}

static void test_trigger_refuses_what_is_none(void **state)
{
	static const char *const wrong[] = {"",		"rss",	       "rss=",	     "rss>80%",		 "rss=%",
					    "rss=+80%", "rss=80%%",    "rss=80 %",   "rss=eighty",	 "rss=-1M",
					    "rss=++1M", "pss=80%",     "RSS=80%",    "rss=1M,cgroup=2M", "rss=0",
					    "rss=0%",	"cgroup=101%", "rss=99999%", "rss=+0M"};
	struct trigger trigger;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (trigger_parse(wrong[i], &trigger) != -EINVAL)
			fail_msg("'%s' is taken", wrong[i]);
}

static struct trigger triggers[2];
static struct trigger_watch watch;
static struct image image;

static void begin(const char *text)
{
	triggers[0] = parsed(text);
	trigger_watch_begin(&watch, triggers, 1);
	assert_true(watch.machine_bytes > 0);
	watch.machine_bytes = 1000 * MIB;
	image = (struct image){.pid = 77, .comm = "server"};
}

/* With so much resident memory, and so much of its group's limit used. */
static bool fires(u64 rss_mib, u64 used_mib, u64 limit_mib)
{
	image.rss_end_bytes = rss_mib * MIB;
	return trigger_look(&watch, &image, used_mib * MIB, limit_mib * MIB);
}

static void test_trigger_fires_once_for_a_size(void **state)
{
	(void)state;
	begin("rss=400M");
	assert_false(fires(399, 0, 0));
	assert_true(fires(400, 0, 0));
	assert_false(fires(500, 0, 0));
	/* Not far enough below, then far enough. */
	assert_false(fires(390, 0, 0));
	assert_false(fires(401, 0, 0));
	assert_false(fires(379, 0, 0));
	assert_true(fires(401, 0, 0));
}

static void test_trigger_share_is_of_the_limit_or_of_the_machine(void **state)
{
	(void)state;
	begin("rss=80%");
	assert_false(fires(799, 0, 0));
	assert_true(fires(800, 0, 0));
	begin("rss=80%");
	assert_false(fires(79, 500, 100));
	assert_true(fires(80, 0, 100));
	/* A limit above what the machine has limits nothing. */
	begin("rss=80%");
	assert_false(fires(799, 0, 5000));
	assert_true(fires(800, 0, 5000));
}

static void test_trigger_growth_counts_from_the_last_time(void **state)
{
	(void)state;
	begin("rss=+100M");
	assert_false(fires(300, 0, 0));
	assert_false(fires(399, 0, 0));
	assert_true(fires(450, 0, 0));
	assert_false(fires(549, 0, 0));
	assert_false(fires(10, 0, 0));
	assert_true(fires(550, 0, 0));
}

/* Each has what it counts from for itself: what fires often does not keep the other from ever firing. */
static void test_trigger_growth_counts_for_each_trigger(void **state)
{
	(void)state;
	begin("rss=+100M");
	triggers[1] = parsed("rss=+250M");
	watch.count = 2;
	assert_false(fires(100, 0, 0));
	assert_true(fires(200, 0, 0));
	assert_true(fires(300, 0, 0));
	assert_true(fires(350, 0, 0));
	assert_true(fires(400, 0, 0));
	assert_false(fires(499, 0, 0));
}

static void test_trigger_of_a_group_needs_a_limit_that_can_be_read(void **state)
{
	(void)state;
	begin("cgroup=50%");
	assert_false(fires(900, 0, 0));
	assert_false(fires(1, 49, 100));
	assert_true(fires(1, 50, 100));
	begin("cgroup=+10M");
	assert_false(fires(1, 50, 100));
	assert_false(fires(1, 59, 100));
	assert_true(fires(1, 60, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trigger_sizes_shares_and_growth),
		cmocka_unit_test(test_trigger_refuses_what_is_none),
		cmocka_unit_test(test_trigger_fires_once_for_a_size),
		cmocka_unit_test(test_trigger_share_is_of_the_limit_or_of_the_machine),
		cmocka_unit_test(test_trigger_growth_counts_from_the_last_time),
		cmocka_unit_test(test_trigger_growth_counts_for_each_trigger),
		cmocka_unit_test(test_trigger_of_a_group_needs_a_limit_that_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
