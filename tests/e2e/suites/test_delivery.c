/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery to a store that means well, alone and behind nginx: what is sent arrives whole, over TLS and with credentials; what the store does
 * not take now comes later, also in the next run; what it refuses is counted and said.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/sending.h"
#include "e2e/kit/store_server.h"

#define KIB 1024

static struct store_server server;
static struct store_proxy proxy;
static struct sending sending;
static struct credentials credentials;

static int setup(void **state)
{
	if (scene_setup(state))
		return -1;
	store_server_start(*state, &server, &((struct scene *)*state)->target, "store");
	return 0;
}

static int setup_with_proxy(void **state)
{
	if (setup(state))
		return -1;
	store_server_start_proxy(*state, &server, &proxy);
	return 0;
}

static int teardown(void **state)
{
	credentials_release(&credentials);
	return scene_teardown(state);
}

static struct delivery_options to_store(const char *kind)
{
	return (struct delivery_options){.url = store_server_url(&server, kind), .timeout_ms = DEADLINE_MS};
}

static struct delivery_options to_proxy(const char *kind)
{
	return (struct delivery_options){.url = format("https://localhost:%u/%s", proxy.port, kind),
					 .ca_file = proxy.ca_file,
					 .timeout_ms = DEADLINE_MS};
}

static void begin(const struct scene *scene, struct delivery_options options)
{
	assert_int_equal(sending_begin(&sending, scene, &options), 0);
}

static void use_credentials(const struct scene *scene, const char *auth, const char *tenant, const char *headers)
{
	const char *auth_file = format("%s/auth", scene->dir), *header_file = format("%s/headers", scene->dir);
	const char *const names[] = {auth_file, header_file}, *const texts[] = {auth, headers};

	for (int i = 0; i < 2; i++) {
		FILE *file = fopen(names[i], "we");

		assert_non_null(file);
		assert_int_equal(fchmod(fileno(file), 0600), 0);
		assert_true(fputs(texts[i] ? texts[i] : "", file) >= 0);
		fclose(file);
	}
	credentials_release(&credentials);
	assert_int_equal(credentials_read(auth ? auth_file : NULL, tenant, headers ? header_file : NULL, &credentials),
			 0);
}

/* --- arriving --- */

static size_t size_of(unsigned int number)
{
	return number % 7 == 0 ? 3000 * KIB : 100 + 1000 * number;
}

static void assert_arrived(unsigned int first, unsigned int end)
{
	for (unsigned int i = first; i < end; i++)
		assert_int_equal(store_server_count(&server, sending_words(i, size_of(i))), 1);
}

static void send_and_settle(const struct scene *scene, struct delivery_options options, unsigned int count)
{
	begin(scene, options);
	for (unsigned int i = 1; i <= count; i++)
		sending_add(&sending, i, size_of(i), i % 2);
	sending_await_settled(&sending);
	sending_finish(&sending);
}

static void test_delivery_arrives_whole_over_one_connection(void **state)
{
	(void)state;
	send_and_settle(*state, to_store("ok/"), 20);
	assert_int_equal(sending.ledger.sent.requests, 20);
	assert_int_equal(sending.ledger.sent.samples, 600);
	assert_arrived(1, 21);
	assert_int_equal(store_server_count(&server, "{\"path\":\"/ok/push.v1.PusherService/Push\",\"connection\":1,"),
			 20);
	assert_int_equal(store_server_count(&server, "\"content-encoding\":\"gzip\""), 10);
	assert_int_equal(store_server_count(&server, "\"content-type\":\"application/json\""), 20);
	assert_int_equal(store_server_count(&server, "\"user-agent\":\"heaptap/" HEAPTAP_VERSION "\""), 20);
	assert_int_equal(store_server_count(&server, "\"authorization\""), 0);
	assert_string_equal(sending.said, "");
}

static void test_delivery_arrives_over_tls(void **state)
{
	(void)state;
	send_and_settle(*state, to_proxy("ok"), 20);
	assert_int_equal(sending.ledger.sent.requests, 20);
	assert_arrived(1, 21);
}

static void test_delivery_shows_its_credentials(void **state)
{
	struct delivery_options basic = to_proxy("basic"), bearer = to_proxy("bearer");

	basic.credentials = bearer.credentials = &credentials;
	use_credentials(*state, "agent:open sesame\n", "team", "X-Key: abc\n");
	send_and_settle(*state, basic, 3);
	assert_int_equal(sending.ledger.sent.requests, 3);
	assert_int_equal(store_server_count(&server, "\"x-scope-orgid\":\"team\""), 3);
	assert_int_equal(store_server_count(&server, "\"x-key\":\"abc\""), 3);
	use_credentials(*state, "token-0123456789\n", NULL, NULL);
	send_and_settle(*state, bearer, 3);
	assert_int_equal(sending.ledger.sent.requests, 3);
	assert_int_equal(store_server_count(&server, "\"authorization\":\"Bearer token-0123456789\""), 3);
}

static void test_delivery_with_wrong_credentials_waits_for_better_ones(void **state)
{
	struct delivery_options options = to_proxy("bearer");

	options.credentials = &credentials;
	options.spool = format("%s/spool", ((struct scene *)*state)->dir);
	use_credentials(*state, "token-9876543210\n", NULL, NULL);
	begin(*state, options);
	sending_add(&sending, 1, size_of(1), true);
	sending_await_attempts(&sending, 2);
	sending_finish(&sending);
	sending_assert_said(&sending, "takes no profiles (it answers 401: no token of ours); they wait in the spool '");
	assert_null(strstr(sending.said, "token-9876543210"));
	assert_int_equal(sending.ledger.waiting.requests, 1);
	use_credentials(*state, "token-0123456789\n", NULL, NULL);
	send_and_settle(*state, options, 0);
	assert_int_equal(sending.ledger.sent.requests, 1);
	assert_arrived(1, 2);
}

/* --- not now --- */

static void test_delivery_comes_again_when_the_store_is_back(void **state)
{
	(void)state;
	begin(*state, to_store("recovers"));
	sending_add(&sending, 1, 100, false);
	sending_await_settled(&sending);
	sending_finish(&sending);
	assert_int_equal(sending.ledger.sent.requests, 1);
	assert_int_equal(sending.ledger.attempts, 2);
	assert_int_equal(store_server_count(&server, sending_words(1, 100)), 2);
	sending_assert_said(&sending,
			    "takes no profiles (it answers 503: busy); they wait in memory, and it is tried again\n");
	sending_assert_said(&sending, "takes profiles again after ");
}

/* Each in a run of its own, which ends while the request waits to be sent once more. */
static void test_delivery_of_what_waits_when_heaptap_ends_is_lost_without_a_spool(void **state)
{
	static const struct {
		const char *kind, *words;
		enum push_failure failure;
	} rows[] = {{"busy", "(it answers 429: ", PUSH_FAILED_STATUS_429},
		    {"down", "(it answers 503: ", PUSH_FAILED_STATUS_5XX},
		    {"gone", "(", PUSH_FAILED_CUT},
		    /* libcurl: "Operation timed out", or still "SSL connection timeout" */
		    {"slow", " time", PUSH_FAILED_TIMEOUT}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct delivery_options options = to_proxy(rows[i].kind);

		/* Only what never answers is waited for in vain: the others may take long on a busy machine. */
		if (!strcmp(rows[i].kind, "slow"))
			options.timeout_ms = 1000;
		begin(*state, options);
		sending_add(&sending, 1, 100, false);
		sending_await_attempts(&sending, 2);
		sending_finish(&sending);
		sending_assert_said(&sending, rows[i].words);
		sending_assert_said(&sending, "are lost: 1 with 2 profiles, not sent when heaptap ended");
		assert_true(sending.ledger.failed[rows[i].failure] >= 1);
		assert_int_equal(sending.ledger.dropped[PUSH_UNSENT].requests, 1);
	}
}

static void test_delivery_goes_on_where_the_last_run_ended(void **state)
{
	struct scene *scene = *state;
	struct delivery_options options = {.url = store_server_url(&server, "ok"),
					   .spool = format("%s/spool", scene->dir)};

	/* The port is the server's, which is stopped: it takes connections, and does not answer. */
	options.timeout_ms = 500;
	assert_int_equal(kill(server.child->pid, SIGSTOP), 0);
	begin(scene, options);
	for (unsigned int i = 1; i <= 5; i++)
		sending_add(&sending, i, 100 + 1000 * i, i % 2);
	sending_await_attempts(&sending, 2);
	sending_finish(&sending);
	assert_int_equal(sending.ledger.waiting.requests, 5);
	assert_int_equal(sending.ledger.sent.requests, 0);
	assert_int_equal(kill(server.child->pid, SIGCONT), 0);
	options.timeout_ms = DEADLINE_MS;
	begin(scene, options);
	sending_add(&sending, 6, 6100, false);
	sending_await_settled(&sending);
	sending_finish(&sending);
	assert_int_equal(sending.ledger.resumed.requests, 5);
	assert_int_equal(sending.ledger.sent.requests, 6);
	for (unsigned int i = 1; i <= 6; i++)
		store_server_await(&server, sending_words(i, 100 + 1000 * i), 1);
}

/* --- never --- */

static void test_delivery_of_what_is_refused_is_counted_by_cause_and_said(void **state)
{
	static const struct {
		const char *kind, *words;
		enum push_cause cause;
		enum push_failure failure;
	} rows[] = {{"status/400", "(another 4xx) (it answers 400: no, because of ?[31mred)", PUSH_REFUSED,
		     PUSH_FAILED_STATUS_4XX},
		    {"status/422", "(it answers 422: ", PUSH_REFUSED, PUSH_FAILED_STATUS_4XX},
		    {"status/403", "(401, 403, 407) (it answers 403: ", PUSH_DENIED, PUSH_FAILED_STATUS_4XX},
		    {"status/413", "(413) (it answers 413: ", PUSH_TOO_LARGE, PUSH_FAILED_STATUS_4XX},
		    {"status/500", "(it answers 500: ", PUSH_STORE_FAILED, PUSH_FAILED_STATUS_5XX}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		send_and_settle(*state, to_store(rows[i].kind), 2);
		assert_int_equal(sending.ledger.dropped[rows[i].cause].requests, 2);
		assert_int_equal(sending.ledger.failed[rows[i].failure], sending.ledger.attempts);
		sending_assert_said(&sending, rows[i].words);
	}
}

static void test_delivery_of_what_is_too_large_for_nginx(void **state)
{
	begin(*state, to_proxy("small"));
	sending_add(&sending, 1, 100, false);
	sending_add(&sending, 2, 3000 * KIB, false);
	sending_add(&sending, 3, 100, false);
	sending_await_settled(&sending);
	sending_finish(&sending);
	assert_int_equal(sending.ledger.sent.requests, 2);
	assert_int_equal(sending.ledger.dropped[PUSH_TOO_LARGE].requests, 1);
	sending_assert_said(
		&sending,
		"are lost: 1 with 2 profiles, larger than what heaptap or the store takes (413) (it answers 413: ");
}

static void test_delivery_refuses_what_is_too_large_at_the_door(void **state)
{
	begin(*state, to_store("ok"));
	sending_add(&sending, 1, PUSH_BODY_MAX + 1, false);
	sending_add(&sending, 2, 100, false);
	sending_await_settled(&sending);
	sending_finish(&sending);
	assert_int_equal(sending.ledger.sent.requests, 1);
	assert_int_equal(sending.ledger.dropped[PUSH_TOO_LARGE].requests, 1);
	sending_assert_said(&sending, "are lost: 1 with 2 profiles, larger than");
}

static void test_delivery_to_what_is_no_address(void **state)
{
	static const char *const urls[] = {"",
					   "localhost:4040",
					   "ftp://localhost/",
					   "http://",
					   "file:///etc/passwd",
					   "http://a:b@localhost/",
					   "http://localhost/?a=b",
					   "http://localhost/#a",
					   "http://local host/"};

	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		struct delivery_options options = {.url = urls[i]};

		assert_int_equal(sending_begin(&sending, *state, &options), -EINVAL);
		sending_assert_said(&sending, "is no address of a store: write http:// or https://");
	}
}

#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define PROXY(name) cmocka_unit_test_setup_teardown(name, setup_with_proxy, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_delivery_arrives_whole_over_one_connection),
		PROXY(test_delivery_arrives_over_tls),
		PROXY(test_delivery_shows_its_credentials),
		PROXY(test_delivery_with_wrong_credentials_waits_for_better_ones),
		TEST(test_delivery_comes_again_when_the_store_is_back),
		PROXY(test_delivery_of_what_waits_when_heaptap_ends_is_lost_without_a_spool),
		TEST(test_delivery_goes_on_where_the_last_run_ended),
		TEST(test_delivery_of_what_is_refused_is_counted_by_cause_and_said),
		PROXY(test_delivery_of_what_is_too_large_for_nginx),
		TEST(test_delivery_refuses_what_is_too_large_at_the_door),
		TEST(test_delivery_to_what_is_no_address),
	};

	return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
