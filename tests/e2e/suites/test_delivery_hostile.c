/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery to servers that mean harm: answers and headers without end, what is no HTTP, redirects to other hosts, certificates of others.
 * What they get is bounded, what is lost is counted and said, and no credentials go where they do not belong, messages included.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/sending.h"
#include "e2e/kit/store_server.h"
#include "push/reply.h"

#define TOKEN	     "token-0123456789"
#define KEY	     "key-abcdef"
#define IN_SOCKETS   (12 << 20) /* what the kernel takes for a connection before its reader does */
#define ENDLESS_ROWS (sizeof(endless) / sizeof(*endless))

static struct store_server server, other;
static struct store_proxy proxy;
static struct sending sending;
static struct credentials credentials;

static int setup(void **state)
{
	struct scene *scene;
	FILE *file;

	if (scene_setup(state))
		return -1;
	scene = *state;
	store_server_start(scene, &server, &scene->target, "store");
	file = fopen(format("%s/auth", scene->dir), "we");
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	fputs(TOKEN "\n", file);
	fclose(file);
	file = fopen(format("%s/headers", scene->dir), "we");
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	fputs("X-Key: " KEY "\n", file);
	fclose(file);
	return credentials_read(format("%s/auth", scene->dir), NULL, format("%s/headers", scene->dir), &credentials);
}

static int teardown(void **state)
{
	credentials_release(&credentials);
	return scene_teardown(state);
}

static void begin_within(const struct scene *scene, const char *url, const char *ca_file, unsigned int timeout_ms)
{
	struct delivery_options options = {
		.url = url, .credentials = &credentials, .ca_file = ca_file, .timeout_ms = timeout_ms};

	assert_int_equal(sending_begin(&sending, scene, &options), 0);
}

static void begin(const struct scene *scene, const char *url, const char *ca_file)
{
	begin_within(scene, url, ca_file, DEADLINE_MS);
}

static void finish(void)
{
	sending_finish(&sending);
	assert_null(strstr(sending.said, TOKEN));
	assert_null(strstr(sending.said, KEY));
}

/* --- answers --- */

/* What has no end, how often it is tried, and what it is lost for. */
static const struct {
	const char *kind, *words;
	enum push_cause cause;
	unsigned int attempts, timeout_ms; /* 0: any number, as it may time out before the status has come */
} endless[] = {
	{"endless", "the contents of its answer have more than 65536 bytes", PUSH_BAD_ANSWER, 1, 0},
	{"headers", "the headers of its answer have more than 65536 bytes", PUSH_BAD_ANSWER, 1, 0},
	{"long-header", "the headers of its answer have more than 65536 bytes", PUSH_BAD_ANSWER, 1, 0},
	{"continues", "the headers of its answer have more than 65536 bytes", PUSH_BAD_ANSWER, PUSH_TRIES, 0},
	{"trickle", "it answers 200: Operation timed out", PUSH_BAD_ANSWER, 0, 5000},
};

static void test_delivery_bounds_answers_without_end(void **state)
{
	for (size_t i = 0; i < ENDLESS_ROWS; i++) {
		begin_within(*state, store_server_url(&server, endless[i].kind), NULL,
			     endless[i].timeout_ms ? endless[i].timeout_ms : DEADLINE_MS);
		sending_add(&sending, 1, 100, false);
		sending_await_settled(&sending);
		finish();
		sending_assert_said(&sending, endless[i].words);
		assert_int_equal(sending.ledger.dropped[endless[i].cause].requests, 1);
		assert_true(
			sending.ledger.failed[endless[i].timeout_ms ? PUSH_FAILED_TIMEOUT : PUSH_FAILED_BAD_ANSWER]);
		assert_true(!endless[i].attempts || sending.ledger.attempts == endless[i].attempts);
		assert_true(store_server_sent(&server, endless[i].kind) < IN_SOCKETS);
	}
}

static void test_delivery_of_an_endless_refusal_is_tried_again(void **state)
{
	begin(*state, store_server_url(&server, "endless-busy"), NULL);
	sending_add(&sending, 1, 100, false);
	sending_await_attempts(&sending, 2);
	finish();
	sending_assert_said(
		&sending, "takes no profiles (it answers 503: the contents of its answer have more than 65536 bytes)");
	assert_true(store_server_sent(&server, "endless-busy") < IN_SOCKETS);
}

static void test_delivery_of_an_answer_that_is_cut_is_not_sent_twice(void **state)
{
	begin(*state, store_server_url(&server, "cut"), NULL);
	sending_add(&sending, 1, 100, false);
	sending_await_settled(&sending);
	finish();
	assert_int_equal(sending.ledger.dropped[PUSH_BAD_ANSWER].requests, 1);
	assert_int_equal(sending.ledger.failed[PUSH_FAILED_CUT], 1);
	assert_int_equal(store_server_count(&server, "\"path\""), 1);
	sending_assert_said(&sending, "whether it has them is unknown");
}

static void test_delivery_to_what_is_no_http(void **state)
{
	begin(*state, store_server_url(&server, "no-http"), NULL);
	sending_add(&sending, 1, 100, false);
	sending_await_settled(&sending);
	finish();
	assert_int_equal(sending.ledger.dropped[PUSH_BAD_ANSWER].requests, 1);
	assert_int_equal(sending.ledger.attempts, PUSH_TRIES);
	assert_int_equal(sending.ledger.failed[PUSH_FAILED_BAD_ANSWER], PUSH_TRIES);
}

static void test_delivery_to_what_closes_without_a_word(void **state)
{
	begin(*state, store_server_url(&server, "closes"), NULL);
	sending_add(&sending, 1, 100, false);
	sending_await_attempts(&sending, 2);
	finish();
	sending_assert_said(&sending, "takes no profiles (");
	assert_int_equal(sending.ledger.dropped[PUSH_UNSENT].requests, 1);
	assert_true(sending.ledger.failed[PUSH_FAILED_CUT] >= 1);
}

/* A port at which nobody listens, and a name with a part that is longer than the 63 bytes of the DNS, so that no name server is asked. */
static void test_delivery_to_nobody(void **state)
{
	static const struct {
		const char *url;
		enum push_failure failure;
	} rows[] = {{"http://127.0.0.1:1", PUSH_FAILED_NO_CONNECTION},
		    {"http://a-store-whose-name-is-so-long-that-no-server-of-names-could-ever-have-it.invalid",
		     PUSH_FAILED_NO_NAME}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		begin(*state, rows[i].url, NULL);
		sending_add(&sending, 1, 100, false);
		sending_await_attempts(&sending, 2);
		finish();
		sending_assert_said(&sending, "takes no profiles (");
		assert_true(sending.ledger.failed[rows[i].failure] >= 1);
	}
}

/* Nothing is read of what comes: what waits takes no more memory than it may, and senders do not wait. */
static void test_delivery_to_what_does_not_answer_is_bounded(void **state)
{
	struct rusage before, after;

	begin(*state, store_server_url(&server, "silent"), NULL);
	getrusage(RUSAGE_SELF, &before);
	for (unsigned int i = 0; i < 500; i++)
		sending_add(&sending, i, 1 << 20, false);
	finish();
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(sending.ledger.taken.requests, 500);
	assert_true(sending.ledger.dropped[PUSH_QUEUE_FULL].requests >= 460);
	assert_true(after.ru_maxrss - before.ru_maxrss < 64 << 10); /* KiB */
}

/* --- credentials --- */

static void test_delivery_follows_no_redirect(void **state)
{
	struct scene *scene = *state;

	store_server_start(scene, &other, &scene->more[1], "other");
	begin(scene, store_server_url(&server, format("redirect/%u", other.port)), NULL);
	for (unsigned int i = 1; i <= 3; i++)
		sending_add(&sending, i, 100, false);
	sending_await_settled(&sending);
	finish();
	assert_int_equal(sending.ledger.dropped[PUSH_REDIRECTED].requests, 3);
	assert_int_equal(sending.ledger.failed[PUSH_FAILED_STATUS_3XX], 3);
	sending_assert_said(&sending,
			    format("which is not followed (it answers 307: http://127.0.0.1:%u/ok)", other.port));
	assert_int_equal(store_server_count(&server, TOKEN), 3);
	assert_int_equal(store_server_count(&other, "{"), 0);
}

static void test_delivery_says_nothing_that_holds_credentials(void **state)
{
	begin(*state, store_server_url(&server, "echo"), NULL);
	sending_add(&sending, 1, 100, false);
	sending_await_settled(&sending);
	finish();
	assert_int_equal(sending.ledger.dropped[PUSH_REFUSED].requests, 1);
	sending_assert_said(&sending, "(it answers 400: what it answers holds credentials and is not shown)");
}

/* A certificate of another, one for another name, and a server without TLS: nothing is sent to any of them. */
static void test_delivery_without_a_good_certificate_sends_nothing(void **state)
{
	struct scene *scene = *state;
	const char *urls[3];

	store_server_start_proxy(scene, &server, &proxy);
	urls[0] = format("https://localhost:%u/ok", proxy.strange);
	urls[1] = format("https://127.0.0.1:%u/ok", proxy.port);
	urls[2] = format("https://127.0.0.1:%u/ok", server.port);
	for (int i = 0; i < 3; i++) {
		begin(scene, urls[i], proxy.ca_file);
		sending_add(&sending, 1, 100, false);
		sending_await_attempts(&sending, 2);
		finish();
		sending_assert_said(&sending, "takes no profiles (");
		assert_int_equal(sending.ledger.sent.requests, 0);
		assert_true(sending.ledger.failed[PUSH_FAILED_TLS] >= 1);
	}
	assert_int_equal(store_server_count(&server, "\"path\""), 0);
	begin(scene, format("https://localhost:%u/ok", proxy.port), NULL);
	sending_add(&sending, 1, 100, false);
	sending_await_attempts(&sending, 2);
	finish();
	assert_int_equal(store_server_count(&server, "\"path\""), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_delivery_bounds_answers_without_end),
		TEST(test_delivery_of_an_endless_refusal_is_tried_again),
		TEST(test_delivery_of_an_answer_that_is_cut_is_not_sent_twice),
		TEST(test_delivery_to_what_is_no_http),
		TEST(test_delivery_to_what_closes_without_a_word),
		TEST(test_delivery_to_nobody),
		TEST(test_delivery_to_what_does_not_answer_is_bounded),
		TEST(test_delivery_follows_no_redirect),
		TEST(test_delivery_says_nothing_that_holds_credentials),
		TEST(test_delivery_without_a_good_certificate_sends_nothing),
	};

	return cmocka_run_group_tests_name("delivery_hostile", tests, NULL, NULL);
}
