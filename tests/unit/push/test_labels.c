/* SPDX-License-Identifier: GPL-2.0-or-later */
/* labels.c: the names of each store, what a series is called, and foreign values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "push/labels.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct label_list own, made;

static int setup(void **state)
{
	(void)state;
	own = made = (struct label_list){0};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	label_list_release(&own);
	label_list_release(&made);
	return 0;
}

static void make(const struct label_facts *facts, enum store_kind store)
{
	label_list_release(&made);
	assert_int_equal(labels_make(facts, &own, store, &made), 0);
	for (u32 i = 1; i < made.count; i++)
		assert_true(strcmp(made.labels[i - 1].name, made.labels[i].name) < 0);
}

static void assert_label(const char *name, const char *value)
{
	const char *found = label_list_find(&made, name);

	if (!value)
		assert_null(found);
	else if (!found)
		fail_msg("no label '%s'", name);
	else
		assert_string_equal(found, value);
}

static void give(const char *text)
{
	const char *why;

	assert_int_equal(labels_add_own(&own, text, &why), 0);
}

static void test_labels_have_the_names_of_their_store(void **state)
{
	const struct label_facts facts = {.host = "node7",
					  .comm = "nginx",
					  .exe = "/usr/sbin/nginx",
					  .build_id = "ab01",
					  .container_id = ID,
					  .container = "web-5d9/front",
					  .space = "shop",
					  .cgroup = "/kubepods/x.service/" ID,
					  .pid = 42};

	(void)state;
	make(&facts, STORE_PYROSCOPE);
	assert_int_equal(made.count, 9);
	assert_label("service_name", "shop/front");
	assert_label("hostname", "node7");
	assert_label("namespace", "shop");
	assert_label("pod", "web-5d9");
	assert_label("container", "front");
	assert_label("container_id", ID);
	assert_label("executable", "nginx");
	assert_label("build_id", "ab01");
	assert_label("pid", "42");
	make(&facts, STORE_PARCA);
	assert_int_equal(made.count, 9);
	assert_label("node", "node7");
	make(&facts, STORE_OTLP);
	assert_int_equal(made.count, 9);
	assert_label("service.name", "shop/front");
	assert_label("k8s.pod.name", "web-5d9");
	assert_label("container.id", ID);
	assert_label("process.executable.build_id.gnu", "ab01");
	assert_label("process.pid", "42");
}

static void assert_service(const struct label_facts *facts, const char *service)
{
	make(facts, STORE_PYROSCOPE);
	assert_label("service_name", service);
}

static void test_labels_service_is_the_first_that_is_known(void **state)
{
	struct label_facts facts = {.comm = "python3", .exe = "/usr/bin/python3.11"};

	(void)state;
	assert_service(&facts, "python3");
	assert_label("executable", "python3.11");
	facts.cgroup = "/user.slice/user@0.service/app.slice/shop.service/sub";
	assert_service(&facts, "shop.service");
	assert_label("unit", "shop.service");
	facts.cgroup = "/user.slice/session-2.scope/.service";
	assert_service(&facts, "python3");
	facts.container_id = ID;
	facts.cgroup = "/system.slice/docker.service/" ID;
	assert_service(&facts, "python3");
	facts.container = "web";
	assert_service(&facts, "web");
	assert_label("pod", NULL);
	assert_label("unit", NULL);
	give("service_name=mine");
	assert_service(&facts, "mine");
	facts = (struct label_facts){.comm = ""};
	label_list_release(&own);
	assert_service(&facts, "unknown");
}

static void test_labels_of_the_user_replace_heaptap_s_in_each_store(void **state)
{
	const struct label_facts facts = {.host = "node7", .comm = "a"};

	(void)state;
	give("node=mine");
	give("service.name=shop");
	give("zone.name=eu");
	make(&facts, STORE_PYROSCOPE);
	assert_label("hostname", "mine");
	assert_label("node", NULL);
	assert_label("service_name", "shop");
	assert_label("zone_name", "eu");
	make(&facts, STORE_OTLP);
	assert_label("host.name", "mine");
	assert_label("service.name", "shop");
	assert_label("zone.name", "eu");
}

static void assert_refused(const char *text, const char *words)
{
	const char *why = "";

	assert_int_equal(labels_add_own(&own, text, &why), -EINVAL);
	if (!strstr(why, words))
		fail_msg("'%s': no \"%s\" in: %s", text, words, why);
}

static void test_labels_of_the_user_are_as_stores_take_them(void **state)
{
	char *text = malloc(LABEL_VALUE_MAX + 4);

	(void)state;
	assert_refused("a", "NAME=VALUE");
	assert_refused("=a", "name of letters");
	assert_refused("1a=b", "name of letters");
	assert_refused("a-b=c", "name of letters");
	assert_refused("a b=c", "name of letters");
	assert_refused("__name__=b", "'__'");
	assert_refused("part=b", "pieces");
	assert_refused("a=", "value");
	assert_refused("a=\xff", "UTF-8");
	assert_refused("a=b\nc", "control");
	memset(text, 'x', LABEL_VALUE_MAX + 3);
	text[LABEL_VALUE_MAX + 3] = '\0';
	memcpy(text, "a=", 2);
	assert_refused(text, "2048");
	text[LABEL_VALUE_MAX + 2] = '\0';
	give(text);
	free(text);
	give("b_c=1=2");
	assert_refused("b.c=2", "before");
	assert_refused("a=2", "before");
	give("node=1");
	assert_refused("host.name=2", "before");
	for (char name[] = "c=1"; own.count < LABELS_OWN_MAX; name[0]++)
		give(name);
	assert_refused("last=1", "too many");
}

/* A process that chose its name itself. */
static void test_labels_foreign_values_are_cut_and_cleaned(void **state)
{
	char *name = calloc(1, 2 * LABEL_VALUE_MAX);
	struct label_facts facts = {.comm = "a\x1b[2J\xff\n"};
	const char *value;

	(void)state;
	make(&facts, STORE_PARCA);
	assert_label("service_name", "a?[2J\xef\xbf\xbd?");
	memset(name, 'x', LABEL_VALUE_MAX - 1);
	strcat(name, "\xc3\xa4z");
	facts.comm = name;
	make(&facts, STORE_PARCA);
	value = label_list_find(&made, "service_name");
	assert_int_equal(strlen(value), LABEL_VALUE_MAX - 1);
	free(name);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_labels_have_the_names_of_their_store),
		TEST(test_labels_service_is_the_first_that_is_known),
		TEST(test_labels_of_the_user_replace_heaptap_s_in_each_store),
		TEST(test_labels_of_the_user_are_as_stores_take_them),
		TEST(test_labels_foreign_values_are_cut_and_cleaned),
	};

	return cmocka_run_group_tests_name("labels", tests, NULL, NULL);
}
