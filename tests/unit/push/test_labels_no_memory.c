/* SPDX-License-Identifier: GPL-2.0-or-later */
/* labels.c without memory: a series that lacks a label would be another one, so that there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int left; /* texts until there is no memory for one */

static bool fails(void)
{
	return !left--;
}

#define strdup(text)	    (fails() ? NULL : strdup(text))
#define strndup(text, size) (fails() ? NULL : strndup(text, size))
#define asprintf(...)	    (fails() ? -1 : asprintf(__VA_ARGS__))

#include "push/labels.c"

/* Each text that cannot be made in turn, until all can. */
static void assert_whole_or_none(const struct label_facts *facts, u32 count)
{
	const struct label_list own = {0};
	struct label_list list = {0};
	int err = -ENOMEM;

	for (int texts = 0; err; texts++) {
		assert_in_range(texts, 0, 100);
		left = texts;
		err = labels_make(facts, &own, STORE_PYROSCOPE, &list);
		if (left < 0)
			assert_int_equal(err, -ENOMEM);
		else
			assert_int_equal(err, 0);
		assert_int_equal(list.count, err ? 0 : count);
	}
	label_list_release(&list);
}

static void test_labels_without_memory_are_none(void **state)
{
	const struct label_facts unit = {.comm = "nginx", .cgroup = "/system.slice/nginx.service"};
	const struct label_facts container = {
		.comm = "nginx", .container_id = "c0ffee", .container = "web-5d9/front", .space = "shop"};

	(void)state;
	assert_whole_or_none(&unit, 3);
	assert_whole_or_none(&container, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels_without_memory_are_none),
	};

	return cmocka_run_group_tests_name("labels_no_memory", tests, NULL, NULL);
}
