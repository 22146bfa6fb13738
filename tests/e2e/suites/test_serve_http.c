/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heaptap serve and curl: statuses, headers, who may connect, names that try to be markup; and a recording that is served has its numbers. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/pprof_client.h"
#include "e2e/kit/served.h"

/* --- statuses and headers --- */

static void test_serve_statuses_are_go_s(void **state)
{
	static const struct {
		const char *path;
		unsigned int status;
	} rows[] = {
		{"/", 200},
		{"/healthz", 200},
		{"/metrics", 200},
		{"/sd", 200},
		{"/page", 200},
		{"/debug/pprof", 301},
		{"/debug/pprof/", 200},
		{"/debug/pprof/cmdline", 200},
		{"/debug/pprof/heap", 200},
		{"/debug/pprof/heap?debug=1", 200},
		{"/debug/pprof/heap?seconds=0", 400},
		{"/debug/pprof/heap?seconds=1x", 400},
		{"/debug/pprof/heap?seconds=1&debug=1", 400},
		{"/debug/pprof/heap?seconds=100000", 400},
		{"/debug/pprof/goroutine", 404},
		{"/debug/pprof/profile?seconds=30", 404},
		{"/debug/pprof/heap?pid=x", 400},
		{"/debug/pprof/heap?pid=1", 404},
		{"/debug/pprof/heap?container=none", 404},
		{"/container/none/metrics", 404},
		{"/pid/1/metrics", 404},
		{"/../../etc/passwd", 404},
		{"/%2e%2e/%2e%2e/etc/passwd", 404},
		{"/debug/pprof/heap%00", 404},
		{"/page?pid=%", 400},
		{"/favicon.ico", 404},
	};
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));

	served_steps(scene, "k");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		unsigned int status = http_status(scene, format("'%s%s'", url, rows[i].path));

		if (status != rows[i].status)
			fail_msg("%s: %u instead of %u", rows[i].path, status, rows[i].status);
	}
	assert_int_equal(http_status(scene, format("-X POST -d x '%s/debug/pprof/heap'", url)), 405);
	assert_int_equal(http_status(scene, format("-X BREW '%s/'", url)), 405);
	assert_int_equal(http_status(scene, format("-X PUT '%s/debug/pprof'", url)), 405);
	assert_int_equal(http_status(scene, format("-X GET -d body '%s/'", url)), 400);
	assert_int_equal(http_status(scene, format("-X GET -d body '%s/debug/pprof'", url)), 400);
	assert_int_equal(http_status(scene, format("-I '%s/metrics'", url)), 200);
	assert_int_equal(http_status(scene, format("-H 'Host: rebound.example' '%s/'", url)), 403);
	assert_int_equal(http_status(scene, format("-H 'Host: localhost:1' '%s/'", url)), 200);
	served_finish(scene);
}

static void test_serve_headers(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	struct http_response response;

	served_steps(scene, "k");
	http_fetch(scene, format("%s/debug/pprof/heap", url), &response);
	assert_words(response.head, "Content-Type: application/octet-stream\r\n");
	assert_words(response.head, "Content-Disposition: attachment; filename=\"heap\"\r\n");
	assert_words(response.head, "X-Content-Type-Options: nosniff\r\n");
	assert_words(response.head, "Cache-Control: no-store\r\n");
	http_release(&response);
	http_fetch(scene, format("%s/debug/pprof/block", url), &response);
	assert_words(response.head, "X-Go-Pprof: 1\r\n");
	assert_words(response.head, "Content-Type: text/plain; charset=utf-8\r\n");
	assert_words(response.body, "Unknown profile");
	http_release(&response);
	http_fetch(scene, format("%s/", url), &response);
	assert_words(response.head, "Content-Security-Policy: default-src 'none'; style-src 'self';");
	http_release(&response);
	http_fetch(scene, format("%s/debug/pprof/cmdline", url), &response);
	assert_string_equal(response.body, "heaptap");
	http_release(&response);
	served_finish(scene);
}

/* A name that tries to be markup and a terminal's orders. */
static void test_serve_hostile_names_stay_text(void **state)
{
	struct scene *scene = *state;
	const char *path = format("%s/<b>\"x\x1b[1", scene->dir), *url;
	struct http_response response;

	assert_int_equal(system(format("cp '%s' '%s'", beside("target_steps"), path)), 0);
	url = served_start(scene, path);
	served_steps(scene, "k");
	for (unsigned int i = 0; i < 2; i++) {
		http_fetch(scene, format("%s/%s", url, i ? "page" : ""), &response);
		assert_words(response.body, "&lt;b&gt;&quot;x?[1");
		assert_null(strstr(response.body, "<b>"));
		assert_null(strchr(response.body, '\x1b'));
		http_release(&response);
	}
	served_assert(scene, format("%s/metrics", url), 200, "comm=\"<b>\\\"x?[1\"");
	served_assert(scene, format("%s/sd", url), 200, "\"<b>\\\"x?[1\"");
	served_finish(scene);
}

/* --- secrets --- */

#define SECRET_ARGUMENT	   "--password=argument-7f3a"
#define SECRET_ENVIRONMENT "PASSWORD=environment-7f3a"

/* The target, served; it has both secrets, as its files in /proc show. */
static const char *serve_secrets(struct scene *scene)
{
	const char *url;

	target_start(&scene->target, (const char *const[]){SECRET_ENVIRONMENT, NULL},
		     (const char *const[]){beside("target_steps"), SECRET_ARGUMENT, NULL});
	target_ready(&scene->target);
	assert_int_equal(system(format("cd /proc/%d && grep -qae '" SECRET_ARGUMENT
				       "' cmdline && grep -qae '" SECRET_ENVIRONMENT "' environ",
				       scene->target.pid)),
			 0);
	url = http_serve(scene, (const char *const[]){"serve", "-R", "1", "--mappings", "--listen", "127.0.0.1:0", "-p",
						      format("%d", scene->target.pid), NULL});
	target_go(&scene->target);
	served_steps(scene, "kkk");
	return url;
}

/* A grep finds that in what curl has just got: headers and body, which may be packed. */
static bool is_in_answer(const struct scene *scene, const char *words)
{
	return !system(format("cd '%s' && { cat head && zcat -f <body; } | grep -qae '%s'", scene->dir, words));
}

static void assert_keeps_secrets(const struct scene *scene, const char *url)
{
	http_status(scene, format("'%s'", url));
	/* Both have this, and no address does. */
	if (is_in_answer(scene, "t-7f3a"))
		fail_msg("%s has an argument or a part of the environment", url);
}

static void test_serve_shows_no_argument_and_no_environment(void **state)
{
	static const char *const everywhere[] = {"", "style.css", "healthz", "sd", "none", "page?pid=x"};
	static const char *const scoped[] = {
		"page",
		"metrics",
		"debug/pprof",
		"debug/pprof/",
		"debug/pprof/cmdline",
		"debug/pprof/goroutine",
		"debug/pprof/symbol?0x400000",
		"debug/pprof/heap",
		"debug/pprof/heap?gc=1",
		"debug/pprof/heap?debug=1",
		"debug/pprof/heap?seconds=1",
		"debug/pprof/allocs",
		"debug/pprof/delta_heap",
		"debug/pprof/mappings",
		"debug/pprof/mappings?debug=1",
	};
	struct scene *scene = *state;
	const char *url = serve_secrets(scene);

	for (size_t i = 0; i < sizeof(everywhere) / sizeof(*everywhere); i++)
		assert_keeps_secrets(scene, format("%s/%s", url, everywhere[i]));
	for (size_t i = 0; i < sizeof(scoped) / sizeof(*scoped); i++) {
		assert_keeps_secrets(scene, format("%s/%s", url, scoped[i]));
		assert_keeps_secrets(scene, format("%s/pid/%d/%s", url, scene->target.pid, scoped[i]));
	}
	/* What they do have is found so. */
	served_assert(scene, format("%s/page", url), 200, "");
	assert_true(is_in_answer(scene, "keep"));
	served_assert(scene, format("%s/debug/pprof/heap", url), 200, "");
	assert_true(is_in_answer(scene, "keep"));
	served_finish(scene);
}

static void test_serve_goes_on_after_the_target_s_end(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));

	served_steps(scene, "kkk");
	kill(scene->target.pid, SIGKILL);
	child_reap(&scene->target);
	http_await(scene, format("%s/metrics", url), "\nheaptap_ended 1\n");
	assert_int_equal(served_total(scene, format("%s/debug/pprof/heap", url), "inuse_space"), 3 * BLOCK);
	served_finish(scene);
}

/* --- who may connect --- */

static void test_serve_token_opens_to_other_machines(void **state)
{
	struct scene *scene = *state;
	char token[PATH_MAX + 8], url[64], *top;
	unsigned int port = 0;

	snprintf(token, sizeof(token), "%s/token", scene->dir);
	assert_int_equal(system(format("umask 077; echo 0123456789abcdef > '%s'", token)), 0);
	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
	session_start_bare(&scene->session,
			   (const char *const[]){"serve", "-R", "1", "--listen", "0.0.0.0:0", "--token-file", token,
						 "-p", format("%d", scene->target.pid), NULL});
	session_await(&scene->session, "not encrypted");
	assert_int_equal(sscanf(strstr(scene->session.words, "http://0.0.0.0:"), "http://0.0.0.0:%u", &port), 1);
	target_go(&scene->target);
	served_steps(scene, "k");
	snprintf(url, sizeof(url), "127.0.0.1:%u/debug/pprof/heap", port);
	assert_int_equal(http_status(scene, format("http://%s", url)), 401);
	assert_int_equal(http_status(scene, format("-H 'Authorization: Bearer 0123456789abcdeX' http://%s", url)), 401);
	assert_int_equal(http_status(scene, format("-H 'Authorization: Bearer 0123456789abcdef' http://%s", url)), 200);
	assert_int_equal(http_status(scene, format("http://127.0.0.1:%u/healthz", port)), 200);
	top = pprof_top(scene, format("'http://me:0123456789abcdef@%s'", url));
	assert_words(top, "Type: inuse_space");
	free(top);
	served_finish(scene);
}

static void test_serve_unix_socket(void **state)
{
	struct scene *scene = *state;
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/socket", scene->dir);
	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
	session_start_bare(&scene->session, (const char *const[]){"serve", "--listen", format("unix:%s", path), "-p",
								  format("%d", scene->target.pid), NULL});
	session_await(&scene->session, "serving on");
	assert_int_equal(http_status(scene, format("--unix-socket '%s' http://localhost/healthz", path)), 200);
	assert_int_equal(system(format("test \"$(stat -c %%a '%s')\" = 600", path)), 0);
	served_finish(scene);
	assert_int_not_equal(access(path, F_OK), 0);
}

/* --- a recording --- */

static void test_serve_of_a_recording_has_its_numbers(void **state)
{
	static const char *const measures[] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};
	struct scene *scene = *state;
	const cJSON *process;
	const char *url;
	char *text, *top;
	cJSON *index;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "16K", "--", beside("target_bias"), NULL}),
			 0);
	index = session_index(&scene->session);
	process = index_process(index, "target_bias");
	text = session_report(&scene->session, "-f text");
	url = http_serve(scene, (const char *const[]){"serve", "--listen", "127.0.0.1:0", scene->session.output, NULL});
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(pprof_total(scene, format("%s/debug/pprof/heap", url), measures[i], &top),
				 index_number(process, measures[i]));
		free(top);
	}
	served_assert(scene, format("%s/debug/pprof/heap?debug=1", url), 200, text);
	served_assert(scene, format("%s/metrics", url), 200,
		      format("comm=\"target_bias\",pid=\"%u\"} %llu\n", (unsigned int)index_number(process, "pid"),
			     (unsigned long long)index_number(process, "alloc_space")));
	free(text);
	cJSON_Delete(index);
	served_finish(scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_serve_statuses_are_go_s),
		TEST(test_serve_headers),
		TEST(test_serve_hostile_names_stay_text),
		TEST(test_serve_shows_no_argument_and_no_environment),
		TEST(test_serve_goes_on_after_the_target_s_end),
		TEST(test_serve_token_opens_to_other_machines),
		TEST(test_serve_unix_socket),
		TEST(test_serve_of_a_recording_has_its_numbers),
	};

	return cmocka_run_group_tests_name("serve_http", tests, NULL, NULL);
}
