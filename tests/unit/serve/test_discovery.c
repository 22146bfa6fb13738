/* SPDX-License-Identifier: GPL-2.0-or-later */
/* discovery.c and index_page.c: each process once, with the labels that scrapers need, and no name becomes markup. */
#include "unit/serve/listing_scene.h"

#include <cjson/cJSON.h>

#include "serve/discovery.h"
#include "serve/index_page.h"

static cJSON *discovered(void)
{
	struct printed printed;
	char *text;
	cJSON *list;

	assert_int_equal(discovery_write(&listing, "host:7979", printed_open(&printed)), 0);
	text = printed_close(&printed);
	list = cJSON_Parse(text);
	if (!cJSON_IsArray(list))
		fail_msg("no array: %s", text);
	free(text);
	return list;
}

static const char *label(const cJSON *list, int index, const char *name)
{
	const cJSON *labels = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(list, index), "labels");

	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(labels, name));
}

static void test_discovery_target_of_each_process(void **state)
{
	const cJSON *targets;
	cJSON *list;

	(void)state;
	add_process(7, "small", 1);
	contain(add_process(9, "we\"b\n<\xff", 100), "0123456789abcdef", "front");
	list = discovered();
	assert_int_equal(cJSON_GetArraySize(list), 2);
	targets = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(list, 0), "targets");
	assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(targets, 0)), "host:7979");
	assert_string_equal(label(list, 0, "__metrics_path__"), "/pid/9/metrics");
	assert_string_equal(label(list, 0, "__profile_path_prefix__"), "/pid/9");
	assert_string_equal(label(list, 0, "__param_pid"), "9");
	assert_string_equal(label(list, 0, "pid"), "9");
	assert_string_equal(label(list, 0, "comm"), "we\"b?<\xef\xbf\xbd");
	assert_string_equal(label(list, 0, "container"), "front");
	assert_string_equal(label(list, 0, "container_id"), "0123456789abcdef");
	assert_null(label(list, 1, "container"));
	cJSON_Delete(list);
}

static void test_discovery_leaves_out_what_has_ended(void **state)
{
	cJSON *list;

	(void)state;
	add_process(7, "gone", 1)->exited = true;
	add_process(8, "first", 5)->exited = true;
	add_process(8, "second", 2)->image = 2;
	list = discovered();
	assert_int_equal(cJSON_GetArraySize(list), 1);
	assert_string_equal(label(list, 0, "comm"), "second");
	cJSON_Delete(list);
	listing.ended = true;
	list = discovered();
	assert_int_equal(cJSON_GetArraySize(list), 2);
	cJSON_Delete(list);
}

static void test_discovery_of_nothing_is_an_empty_list(void **state)
{
	cJSON *list = discovered();

	(void)state;
	assert_int_equal(cJSON_GetArraySize(list), 0);
	cJSON_Delete(list);
}

static void test_index_page_escapes_names(void **state)
{
	struct answer *answer;

	(void)state;
	contain(add_process(7, "<script>alert(1)</script>", 1), "a/../\"'&", "<img src=x>");
	answer = index_page_answer(&listing);
	assert_non_null(answer);
	assert_lacks(answer->body, "<script");
	assert_lacks(answer->body, "<img");
	assert_has(answer->body, "&lt;script&gt;alert(1)&lt;/script&gt;");
	assert_has(answer->body, "href=\"/container/a%2F..%2F%22%27%26/page\"");
	assert_has(answer->body, "href=\"/pid/7/debug/pprof/heap?gc=1\"");
	answer_release(answer);
	assert_int_equal(answer_bytes(), 0);
}

/* In use is of what lives: a container's in its row, all of it above. */
static void test_index_page_sums_what_lives(void **state)
{
	struct answer *answer;

	(void)state;
	contain(add_process(7, "web", 1024), "0123456789abcdef", "front");
	contain(add_process(8, "web", 2048), "0123456789abcdef", "front");
	contain(add_process(9, "job", 512), "0123456789abcdef", "front");
	((struct profile *)listing.processes.entries[2].facts)->exited = true;
	answer = index_page_answer(&listing);
	assert_non_null(answer);
	assert_has(answer->body, "<p>  in use        3.0 KiB in 2 processes; 1 ended with 512 B</p>\n");
	assert_has(answer->body, "<td>0123456789abcdef</td><td class=\"n\">2</td><td class=\"n\">3.0 KiB</td>");
	answer_release(answer);
}

/* Without frees what is in use is unknown, which is not 0. */
static void test_index_page_of_allocations_alone(void **state)
{
	struct answer *answer;

	(void)state;
	contain(add_process(7, "web", 1024), "0123456789abcdef", "front");
	((struct profile *)listing.processes.entries[0].facts)->alloc_only = true;
	answer = index_page_answer(&listing);
	assert_non_null(answer);
	assert_has(answer->body, "in use     not recorded (--alloc-only)</p>");
	assert_has(answer->body, "<td class=\"n\">not recorded</td><td class=\"n\">1.0 KiB</td>");
	assert_has(answer->body, "<td class=\"n\">1</td><td class=\"n\">not recorded</td>");
	answer_release(answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, listing_setup, listing_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_discovery_target_of_each_process),
		TEST(test_discovery_leaves_out_what_has_ended),
		TEST(test_discovery_of_nothing_is_an_empty_list),
		TEST(test_index_page_escapes_names),
		TEST(test_index_page_sums_what_lives),
		TEST(test_index_page_of_allocations_alone),
	};

	return cmocka_run_group_tests_name("discovery", tests, NULL, NULL);
}
