/* SPDX-License-Identifier: GPL-2.0-or-later */
/* container_log.c: what the names of kubelet's links say, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "system/container_log.h"

#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "ffffffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef"

static char directory[] = "/tmp/container_log.XXXXXX";

static void test_log_name_has_pod_namespace_and_container(void **state)
{
	struct container_log log;

	(void)state;
	assert_int_equal(container_log_parse("web-5d9_shop-a_nginx-side-" ID ".log", &log), 1);
	assert_string_equal(log.pod, "web-5d9");
	assert_string_equal(log.space, "shop-a");
	assert_string_equal(log.part, "nginx-side");
	assert_string_equal(log.id, ID);
	free(log.text);
}

static void test_log_other_names_are_none(void **state)
{
	static const char *const names[] = {"",		"-", "a_b-" ID ".log", "a_b_c-0123.log", "a_b_c" ID ".log",
					    "a_b_c-" ID};
	struct container_log log;

	(void)state;
	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(container_log_parse(names[i], &log), 0);
}

static void make(int dir, const char *name)
{
	assert_int_equal(symlinkat("nowhere", dir, name), 0);
}

static void test_log_of_a_container_is_found(void **state)
{
	int dir;
	char *space;

	(void)state;
	assert_non_null(mkdtemp(directory));
	dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make(dir, "web_other_nginx-" ID2 ".log");
	make(dir, "web_shop_nginx-" ID ".log");
	assert_int_equal(container_log_space(directory, ID, &space), 0);
	assert_string_equal(space, "shop");
	free(space);
	assert_int_equal(container_log_space(directory, "0123", &space), 0);
	assert_null(space);
	assert_int_equal(container_log_space("/nowhere", ID, &space), 0);
	assert_null(space);
	unlinkat(dir, "web_other_nginx-" ID2 ".log", 0);
	unlinkat(dir, "web_shop_nginx-" ID ".log", 0);
	close(dir);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_name_has_pod_namespace_and_container),
		cmocka_unit_test(test_log_other_names_are_none),
		cmocka_unit_test(test_log_of_a_container_is_found),
	};

	return cmocka_run_group_tests_name("container_log", tests, NULL, NULL);
}
