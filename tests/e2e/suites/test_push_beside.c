/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --push beside record and serve: the store gets the figures of the target's steps while files are written and clients are answered, and a
 * store that takes nothing keeps neither of them waiting; the ledger balances.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/served.h"
#include "e2e/kit/store_server.h"
#include "e2e/kit/strict_store.h"

/* Nothing listens there: it is the port for discarding what comes. */
#define NOBODY "127.0.0.1:9"

static void start_target(struct scene *scene)
{
	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
}

static const char *pid_of(const struct scene *scene)
{
	return format("%d", scene->target.pid);
}

/* --- record --- */

static void record_start(struct scene *scene, const char *store)
{
	start_target(scene);
	session_start(&scene->session, scene,
		      (const char *const[]){"-v", "-R", "1", "--interval", "0.1", "--push", store, "--label", "zone=eu",
					    "-p", pid_of(scene), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
}

/* The figures of the files, and the store's. */
static void test_push_beside_record_is_of_each_interval(void **state)
{
	struct scene *scene = *state;
	const char *address = store_start(scene);
	cJSON *index;
	char *labels;

	record_start(scene, format("pyroscope+http://%s", address));
	served_steps(scene, "kkkkff");
	store_await(scene, address, "alloc_space", 4 * BLOCK);
	served_steps(scene, "kkkf");
	store_await(scene, address, "alloc_objects", 7);
	served_steps(scene, "k");
	session_signal(&scene->session, SIGTERM);
	assert_int_equal(session_finish(&scene->session), 0);
	session_assert_said(&scene->session, "pushed");
	assert_int_equal(store_number(scene, address, "figures", "alloc_space"), 8 * BLOCK);
	assert_int_equal(store_number(scene, address, "figures", "inuse_space"), 5 * BLOCK);
	store_assert_content(scene, address);
	index = session_index(&scene->session);
	assert_int_equal(index_number(index_process(index, "target_steps"), "alloc_space"), 8 * BLOCK);
	cJSON_Delete(index);
	labels = store_page(scene, address, "labels");
	assert_words(labels, format("\"pid\": \"%d\"", scene->target.pid));
	assert_words(labels, "\"zone\": \"eu\"");
	free(labels);
}

/* Children that end within an interval and long before the last are in it, each once, as in the files. */
static void test_push_beside_record_has_what_ended(void **state)
{
	struct scene *scene = *state;
	const char *address = store_start(scene);
	const cJSON *process;
	uint64_t sum = 0;
	cJSON *index;

	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "--interval", "0.05", "--push",
					    format("parca+http://%s", address), "--follow", "--", "/bin/sh", "-c",
					    "for i in 1 2 3 4 5 6; do \"$0\" malloc; done", beside("target_leak"),
					    NULL});
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	cJSON_ArrayForEach (process, cJSON_GetObjectItem(index, "processes")) {
		sum += index_number(process, "alloc_objects");
	}
	cJSON_Delete(index);
	assert_true(sum >= 6 * 100);
	assert_int_equal(store_number(scene, address, "figures", "alloc_objects"), sum);
	store_assert_content(scene, address);
}

/* One that is asked and does not answer; then it is gone. */
static void test_push_beside_record_does_not_wait_for_the_store(void **state)
{
	struct scene *scene = *state;
	struct store_server server;

	store_server_start(scene, &server, &scene->more[0], "store");
	record_start(scene, format("pyroscope+%s", store_server_url(&server, "silent")));
	served_steps(scene, "kk");
	store_server_await(&server, "/silent/", 1);
	session_await(&scene->session, "profiles 0008 written");
	session_await(&scene->session, "profiles 0012 written");
	assert_int_equal(store_server_count(&server, "/silent/"), 1);
	child_release(&scene->more[0]);
	session_signal(&scene->session, SIGTERM);
	assert_int_equal(session_finish(&scene->session), 1);
	session_assert_said(&scene->session, "index.json written to");
	session_assert_said(&scene->session, "pushed 0 profiles in 0 requests");
	session_assert_said(&scene->session, "as unsent");
}

/* A mistake there is known before anything is recorded. */
static void test_push_beside_record_refuses_a_store_that_is_none(void **state)
{
	struct scene *scene = *state;

	start_target(scene);
	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"--push", "http://127.0.0.1:1", "-p", pid_of(scene), NULL}),
			 2);
	session_assert_said(&scene->session, "'--push http://127.0.0.1:1' ");
	assert_false(session_said(&scene->session, "tracing"));
	/* 2 might be COMMAND's own. */
	assert_int_equal(session_run(&scene->second, scene,
				     (const char *const[]){"--push", "http://127.0.0.1:1", "--", "/bin/true", NULL}),
			 125);
}

/* --- serve --- */

static const char *serve_start(struct scene *scene, const char *store, const char *spool)
{
	const char *url;

	start_target(scene);
	url = http_serve(scene, (const char *const[]){"serve", "-R", "1", "--listen", "127.0.0.1:0", "--every", "0.2",
						      "--push", store, "-p", pid_of(scene), spool ? "--spool" : NULL,
						      spool, NULL});
	target_go(&scene->target);
	return url;
}

/* The sum over all labels of a metric of the ledger. */
static uint64_t sum_of(const char *metrics, const char *name)
{
	const char *wanted = format("\nheaptap_push_%s", name);
	uint64_t sum = 0;
	unsigned int found = 0;

	for (const char *at = metrics; (at = strstr(at, wanted)); at++) {
		const char *end = at + strlen(wanted);

		if (*end != ' ' && *end != '{')
			continue;
		sum += strtoull(end + strcspn(end, " "), NULL, 10);
		found++;
	}
	if (!found)
		fail_msg("no '%s' in: %s", name, metrics);
	return sum;
}

static void await_metric(const struct scene *scene, const char *url, const char *name, uint64_t least)
{
	uint64_t deadline = deadline_ns();

	while (served_metric(scene, url, name) < least)
		if (now_ns() > deadline)
			fail_msg("%s stays below %lu", name, least);
}

/* What one answer has, to be freed. */
static char *fetch_balanced(const struct scene *scene, const char *url)
{
	struct http_response response;
	char *metrics;

	http_fetch(scene, format("%s/metrics", url), &response);
	assert_int_equal(response.status, 200);
	metrics = strdup(response.body);
	http_release(&response);
	assert_int_equal(sum_of(metrics, "taken_profiles_total") + sum_of(metrics, "resumed_profiles_total"),
			 sum_of(metrics, "sent_profiles_total") + sum_of(metrics, "dropped_profiles_total") +
				 sum_of(metrics, "waiting_profiles"));
	return metrics;
}

static void test_push_beside_serve_has_the_ledger_in_the_metrics(void **state)
{
	struct scene *scene = *state;
	const char *address = store_start(scene), *url;
	char *metrics;

	url = serve_start(scene, format("pyroscope+http://%s", address), NULL);
	served_steps(scene, "kkkkff");
	store_await(scene, address, "alloc_space", 4 * BLOCK);
	store_await(scene, address, "inuse_space", 2 * BLOCK);
	http_await(scene, format("%s/metrics", url), "\nheaptap_push_waiting_profiles 0\n");
	metrics = fetch_balanced(scene, url);
	assert_true(sum_of(metrics, "sent_profiles_total") >= 2);
	assert_true(sum_of(metrics, "sent_bytes_total") > 0);
	assert_int_equal(sum_of(metrics, "dropped_profiles_total"), 0);
	free(metrics);
	assert_int_equal(served_metric(scene, url, "heaptap_allocated_bytes_total"), 4 * BLOCK);
	assert_int_equal(
		system(format("curl -s --noproxy '*' %s/metrics > '%s/metrics' && '%s' check metrics < '%s/metrics'",
			      url, scene->dir, beside("servers/usr/bin/promtool"), scene->dir)),
		0);
	served_steps(scene, "k");
	served_finish(scene);
	session_assert_said(&scene->session, "pushed");
	assert_int_equal(store_number(scene, address, "figures", "alloc_space"), 5 * BLOCK);
	store_assert_content(scene, address);
}

/* What was left of a target that has ended is sent while its last state is served. */
static void test_push_beside_serve_goes_on_when_the_target_has_ended(void **state)
{
	struct scene *scene = *state;
	const char *address = store_start(scene), *url;

	url = serve_start(scene, format("otlp+http://%s", address), NULL);
	served_steps(scene, "kk");
	close(scene->target.in);
	scene->target.in = -1;
	assert_int_equal(target_finish(&scene->target), 0);
	store_await(scene, address, "alloc_space", 2 * BLOCK);
	http_await(scene, format("%s/metrics", url), "\nheaptap_ended 1\n");
	http_await(scene, format("%s/metrics", url), "\nheaptap_push_waiting_profiles 0\n");
	served_finish(scene);
	assert_int_equal(store_number(scene, address, "figures", "alloc_space"), 2 * BLOCK);
	store_assert_content(scene, address);
}

/* A store that is down: clients are answered, what waits is in the spool, and nothing is lost. */
static void test_push_beside_serve_of_a_store_that_is_down(void **state)
{
	struct scene *scene = *state;
	const char *spool = format("%s/spool", scene->dir);
	const char *url = serve_start(scene, "parca+http://" NOBODY, spool);
	char *metrics;

	served_steps(scene, "kkk");
	await_metric(scene, url, "heaptap_push_spooled_profiles_total", 6);
	metrics = fetch_balanced(scene, url);
	assert_true(sum_of(metrics, "waiting_profiles") >= 6);
	assert_true(sum_of(metrics, "attempts_total") >= 1);
	assert_int_equal(sum_of(metrics, "sent_profiles_total"), 0);
	assert_int_equal(sum_of(metrics, "dropped_profiles_total"), 0);
	free(metrics);
	assert_int_equal(served_metric(scene, url, "heaptap_allocated_bytes_total"), 3 * BLOCK);
	served_finish(scene);
	session_assert_said(&scene->session, "pushed 0 profiles in 0 requests; more are in the spool");
}

/* Without a spool what it did not take is lost, and the status says so. */
static void test_push_beside_serve_counts_what_is_lost(void **state)
{
	struct scene *scene = *state;
	const char *url = serve_start(scene, "parca+http://" NOBODY, NULL);
	char *metrics;

	served_steps(scene, "kkk");
	await_metric(scene, url, "heaptap_push_attempts_total", 1);
	metrics = fetch_balanced(scene, url);
	assert_int_equal(sum_of(metrics, "spooled_profiles_total"), 0);
	free(metrics);
	session_signal(&scene->session, SIGTERM);
	assert_int_equal(session_finish(&scene->session), 1);
	session_assert_said(&scene->session, "as unsent");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_push_beside_record_is_of_each_interval),
		TEST(test_push_beside_record_has_what_ended),
		TEST(test_push_beside_record_does_not_wait_for_the_store),
		TEST(test_push_beside_record_refuses_a_store_that_is_none),
		TEST(test_push_beside_serve_has_the_ledger_in_the_metrics),
		TEST(test_push_beside_serve_goes_on_when_the_target_has_ended),
		TEST(test_push_beside_serve_of_a_store_that_is_down),
		TEST(test_push_beside_serve_counts_what_is_lost),
	};

	return cmocka_run_group_tests_name("push_beside", tests, NULL, NULL);
}
