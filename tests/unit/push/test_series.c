/* SPDX-License-Identifier: GPL-2.0-or-later */
/* series.c: equal labels are one series, and how many there are is bounded, whatever processes are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "push/series.h"

static const struct label_list none;
static struct push_series_table table;

static int setup(void **state)
{
	(void)state;
	table = (struct push_series_table){.store = STORE_PYROSCOPE, .own = &none};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	push_series_release(&table);
	return 0;
}

static struct push_series *take(const char *comm, u64 now_ns)
{
	const struct label_facts facts = {.host = "here", .comm = comm};
	struct push_series *series = push_series_take(&table, &facts, now_ns);

	assert_non_null(series);
	return series;
}

static void test_series_is_one_for_equal_labels(void **state)
{
	struct push_series *a = take("a", 1), *b = take("b", 1);

	(void)state;
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(take("a", 2), a);
	assert_string_equal(label_list_find(&a->labels, "service_name"), "a");
	assert_int_equal(a->seen_ns, 2);
}

/* A process may have another name each time. */
static void test_series_beyond_the_limit_are_one(void **state)
{
	char comm[16];

	(void)state;
	for (unsigned int i = 0; i < 10 * SERIES_MAX; i++) {
		snprintf(comm, sizeof(comm), "comm%u", i);
		take(comm, i);
	}
	assert_int_equal(HASH_COUNT(table.rows), SERIES_MAX + 1);
	assert_int_equal(table.beyond, 9 * SERIES_MAX);
	assert_string_equal(label_list_find(&take("yet another", 1)->labels, "service_name"), "other");
	assert_string_equal(label_list_find(&take("comm7", 1)->labels, "service_name"), "comm7");
}

static void test_series_not_seen_for_an_hour_gives_way(void **state)
{
	char comm[16];

	(void)state;
	for (unsigned int i = 0; i < SERIES_MAX; i++) {
		snprintf(comm, sizeof(comm), "comm%u", i);
		take(comm, i);
	}
	take("comm0", SERIES_MAX);
	assert_string_equal(label_list_find(&take("new", SERIES_AGE_NS)->labels, "service_name"), "other");
	/* comm1 is the oldest now. */
	assert_string_equal(label_list_find(&take("new", SERIES_AGE_NS + 1)->labels, "service_name"), "new");
	assert_string_equal(label_list_find(&take("comm0", SERIES_AGE_NS + 1)->labels, "service_name"), "comm0");
	assert_string_equal(label_list_find(&take("comm1", SERIES_AGE_NS + 1)->labels, "service_name"), "other");
}

/* For as long as a series was made with it, and no longer. */
static void test_series_knows_the_namespace_of_its_container(void **state)
{
	struct label_facts facts = {.comm = "a", .container_id = "c0ffee", .container = "pod/web"};
	char comm[16];

	(void)state;
	assert_non_null(push_series_take(&table, &facts, 1));
	assert_null(push_series_space(&table, "c0ffee"));
	facts.space = "shop";
	assert_non_null(push_series_take(&table, &facts, 1));
	take("b", 1);
	assert_string_equal(push_series_space(&table, "c0ffee"), "shop");
	assert_null(push_series_space(&table, "c0ffe"));
	push_series_clear(&table);
	assert_string_equal(push_series_space(&table, "c0ffee"), "shop");
	for (unsigned int i = 0; i < SERIES_MAX - 3; i++) {
		snprintf(comm, sizeof(comm), "comm%u", i);
		take(comm, 2);
	}
	take("the first that gives way", SERIES_AGE_NS + 1);
	take("the second", SERIES_AGE_NS + 1);
	assert_null(push_series_space(&table, "c0ffee"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_series_is_one_for_equal_labels),
		TEST(test_series_beyond_the_limit_are_one),
		TEST(test_series_not_seen_for_an_hour_gives_way),
		TEST(test_series_knows_the_namespace_of_its_container),
	};

	return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
