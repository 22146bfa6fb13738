/* SPDX-License-Identifier: GPL-2.0-or-later */
/* request.c: what is understood, what Go's handlers say to the rest, and that nothing odd gets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "serve/request.h"

static struct request request;
static struct request_refusal refusal;

static unsigned int parsed(const char *target)
{
	refusal = request_parse("GET", target, &request);
	return refusal.status;
}

/* With 400, or with that status. */
static void assert_refused(const char *target, unsigned int status)
{
	if (parsed(target) != 400 && refusal.status != status)
		fail_msg("'%s' got %u", target, refusal.status);
}

/* Parameters are as in Go's net/http/pprof, 1.19: the first of several counts; what is not known is passed over. */
static void test_targets_are_understood(void **state)
{
	static const struct {
		const char *target;
		struct request wanted;
	} rows[] = {
		{"/", {.what = REQUEST_INDEX}},
		{"/healthz", {.what = REQUEST_HEALTH}},
		{"/metrics", {.what = REQUEST_METRICS}},
		{"/sd", {.what = REQUEST_DISCOVERY}},
		{"/page", {.what = REQUEST_PAGE}},
		{"/debug/pprof/", {.what = REQUEST_PPROF}},
		{"/debug/pprof/heap", {.what = REQUEST_HEAP}},
		{"/debug/pprof/allocs", {.what = REQUEST_ALLOCS}},
		{"/debug/pprof/delta_heap", {.what = REQUEST_DELTA_HEAP}},
		{"/debug/pprof/mappings", {.what = REQUEST_MAPPINGS}},
		{"/pid/7/debug/pprof/mappings?seconds=3", {.what = REQUEST_MAPPINGS, .pid = 7, .seconds = 3}},
		{"/debug/pprof/symbol", {.what = REQUEST_SYMBOL}},
		{"/debug/pprof/cmdline", {.what = REQUEST_CMDLINE}},
		{"/debug/pprof/heap?pid=7", {.what = REQUEST_HEAP, .pid = 7}},
		{"/pid/7/debug/pprof/heap", {.what = REQUEST_HEAP, .pid = 7}},
		{"/pid/7/metrics?pid=7", {.what = REQUEST_METRICS, .pid = 7}},
		{"/container/a%2fb%20c/debug/pprof/allocs", {.what = REQUEST_ALLOCS, .container = "a/b c"}},
		{"/page?container=web+1", {.what = REQUEST_PAGE, .container = "web 1"}},
		{"/container/web+1/page", {.what = REQUEST_PAGE, .container = "web+1"}},
		{"/debug/pprof/heap?gc=1", {.what = REQUEST_HEAP, .gc = true}},
		{"/debug/pprof/allocs?gc=1", {.what = REQUEST_ALLOCS}},
		{"/debug/pprof/heap?gc=-1", {.what = REQUEST_HEAP}},
		{"/debug/pprof/heap?gc=yes&debug=no", {.what = REQUEST_HEAP}},
		{"/debug/pprof/heap?debug=1", {.what = REQUEST_HEAP, .debug = true}},
		{"/debug/pprof/heap?debug=-1", {.what = REQUEST_HEAP, .debug = true}},
		{"/debug/pprof/heap?debug=99999999999999999999999", {.what = REQUEST_HEAP, .debug = true}},
		{"/debug/pprof/heap?seconds=30&gc=1", {.what = REQUEST_HEAP, .seconds = 30}},
		{"/debug/pprof/heap?seconds=%2b3", {.what = REQUEST_HEAP, .seconds = 3}},
		{"/debug/pprof/heap?seconds=&pid=1", {.what = REQUEST_HEAP, .pid = 1}},
		{"/debug/pprof/heap?debug=0&debug=1&x=y&z&&=3", {.what = REQUEST_HEAP}},
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct request *wanted = &rows[i].wanted;

		if (parsed(rows[i].target) || request.what != wanted->what || request.pid != wanted->pid ||
		    strcmp(request.container, wanted->container) != 0 || request.gc != wanted->gc ||
		    request.debug != wanted->debug || request.seconds != wanted->seconds ||
		    request.go != (strstr(rows[i].target, "/debug/") != NULL))
			fail_msg("'%s' is not understood: status %u", rows[i].target, refusal.status);
	}
}

static void test_scopes_that_contradict_or_are_none(void **state)
{
	static const char *const targets[] = {
		"/pid/7/metrics?pid=8",
		"/debug/pprof/heap?pid=7&container=web",
		"/container/web/page?pid=3",
		"/debug/pprof/heap?pid=",
		"/debug/pprof/heap?pid=0",
		"/debug/pprof/heap?pid=-1",
		"/debug/pprof/heap?pid=1x",
		"/debug/pprof/heap?pid=2147483648",
		"/pid/0/page",
		"/pid/07/page",
		"/pid/%37x/page",
		"/pid//page",
		"/container//page",
		"/container/%00/page",
		"/container/a%0ab/page",
		"/container/a%zz/page",
		"/container/a%4/page",
		"/page?container=",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(targets) / sizeof(*targets); i++)
		assert_refused(targets[i], 400);
}

static void test_parameters_go_refuses(void **state)
{
	static const char *const values[] = {"0", "-1", "x", "1.5", "99999999999999999999", "601"};
	char target[80];

	(void)state;
	for (unsigned int i = 0; i < sizeof(values) / sizeof(*values); i++) {
		snprintf(target, sizeof(target), "/debug/pprof/heap?seconds=%s", values[i]);
		assert_int_equal(parsed(target), 400);
		assert_memory_equal(refusal.sentence, "invalid value for \"seconds\" - must be ", 38);
		assert_true(request.go);
	}
	assert_int_equal(parsed("/debug/pprof/heap?seconds=1&debug=1"), 400);
	assert_string_equal(refusal.sentence, "seconds and debug params are incompatible");
	assert_int_equal(parsed("/debug/pprof/goroutine"), 404);
	assert_true(request.go);
	assert_memory_equal(refusal.sentence, "Unknown profile", 15);
	assert_int_equal(parsed("/debug/pprof"), 301);
	assert_string_equal(refusal.location, "/debug/pprof/");
}

static void test_odd_targets_are_refused(void **state)
{
	static const char *const targets[] = {
		"",
		"*",
		"heap",
		"http://host/",
		"//",
		"/..",
		"/../etc/passwd",
		"/debug/pprof/../heap",
		"/%2e%2e/",
		"/debug/pprof/heap/",
		"/debug%2fpprof/heap",
		"/debug/pprof/heap%00",
		"/debug/pprof/heap?pid=%",
		"/debug/pprof/heap?pid=%4",
		"/debug/pprof/heap?pid=%g0",
		"/debug/pprof/heap?a;b",
		"/debug/pprof/heap?a=%00",
		"/debug/pprof/heap?a=\x80",
		"/debug/pprof/heap?a= b",
		"/DEBUG/PPROF/HEAP",
		"/index.html",
		"/pid/7",
		"/pid/7/",
		"/pid/7/healthz",
		"/pid/7/sd",
		"/pid/7/pid/8/page",
		"/container/a/b/page",
		"/style.css/",
	};
	char large[REQUEST_TARGET_MAX + 2];

	(void)state;
	for (unsigned int i = 0; i < sizeof(targets) / sizeof(*targets); i++)
		assert_refused(targets[i], 404);
	memset(large, 'a', sizeof(large));
	*large = '/';
	large[sizeof(large) - 1] = '\0';
	assert_int_equal(parsed(large), 414);
}

static void test_methods(void **state)
{
	(void)state;
	assert_int_equal(request_parse("HEAD", "/", &request).status, 0);
	refusal = request_parse("POST", "/debug/pprof/heap", &request);
	assert_int_equal(refusal.status, 405);
	assert_string_equal(refusal.allow, "GET, HEAD");
	assert_int_equal(request_parse("POST", "/pid/3/debug/pprof/symbol", &request).status, 0);
	assert_true(request.post);
	assert_int_equal(request_parse("DELETE", "/debug/pprof/symbol", &request).status, 405);
	assert_int_equal(request_parse("get", "/", &request).status, 405);
	assert_int_equal(request_parse("PUT", "/debug/pprof", &request).status, 405);
}

/* The query of GET symbol is addresses, not parameters. */
static void test_symbol_s_query_is_its_own(void **state)
{
	static const char target[] = "/debug/pprof/symbol?0x10+0x20";

	(void)state;
	assert_int_equal(parsed(target), 0);
	assert_string_equal(target + request.query, "0x10+0x20");
}

static void test_hosts_of_this_machine(void **state)
{
	static const char *const local[] = {"localhost",   "LOCALHOST:7979", "127.0.0.1",
					    "127.9.9.9:1", "[::1]:80",	     "[::1]"};
	static const char *const foreign[] = {
		"",
		"evil.example",
		"localhost.evil.example",
		"127.0.0.1.evil.example",
		"10.0.0.1",
		"[::2]",
		"::1",
		"localhost:80x",
		"[::1",
		"127.0.0.1:80:80",
		"localhost@evil",
		"0.0.0.0",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(local) / sizeof(*local); i++)
		if (!request_host_is_local(local[i]))
			fail_msg("'%s' is not local", local[i]);
	for (unsigned int i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
		if (request_host_is_local(foreign[i]))
			fail_msg("'%s' is local", foreign[i]);
	assert_true(request_host_is_plain("host-1.example:80"));
	assert_false(request_host_is_plain("a\"b"));
	assert_false(request_host_is_plain(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets_are_understood),
		cmocka_unit_test(test_scopes_that_contradict_or_are_none),
		cmocka_unit_test(test_parameters_go_refuses),
		cmocka_unit_test(test_odd_targets_are_refused),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_symbol_s_query_is_its_own),
		cmocka_unit_test(test_hosts_of_this_machine),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
