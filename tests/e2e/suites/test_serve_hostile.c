/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heaptap serve and clients that mean harm, or nothing: a thousand random and malformed requests, headers and bodies without end,
 * requests that trickle, many connections at once. Nothing but 4xx is said to what is wrong (505 to other versions of HTTP, by the library),
 * no descriptor stays open, the target loses no event, and good requests are answered meanwhile and afterwards.
 */
#include <poll.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/served.h"

#define REQUESTS 1000
#define TRICKLES 40
#define LARGE	 (4 << 20)

/*
 * All connections have ended: as many descriptors as before. The library's listening thread closes them, and may learn of an end only when
 * the next connection comes.
 */
static void await_descriptors(const struct scene *scene, const char *url, unsigned int count)
{
	const pid_t pid = scene->session.child.pid;
	uint64_t deadline = deadline_ns();

	while (child_descriptors(pid) > count) {
		if (now_ns() > deadline)
			fail_msg("%u descriptors instead of %u", child_descriptors(pid), count);
		assert_int_equal(http_status(scene, format("%s/healthz", url)), 200);
	}
}

/* The target has been named once: the files that it took are open. One connection is, since this one need not have ended. */
static unsigned int descriptors_at_rest(const struct scene *scene, const char *url)
{
	served_steps(scene, "k");
	served_assert(scene, format("%s/debug/pprof/heap?debug=1&gc=1", url), 200, "heap profile: ");
	return child_descriptors(scene->session.child.pid);
}

static void assert_unharmed(const struct scene *scene, const char *url, unsigned int descriptors)
{
	await_descriptors(scene, url, descriptors);
	served_steps(scene, "kf");
	served_assert(scene, format("%s/metrics", url), 200, "\nheaptap_lost_total{counter=\"lost_ring\"} 0\n");
	served_assert(scene, format("%s/debug/pprof/heap?debug=1&gc=1", url), 200, "heap profile: ");
}

/* --- random requests --- */

/* A generator of its own, so that every run sends the same. */
static uint64_t seed = 20261129;

static unsigned int random_below(unsigned int end)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(seed >> 33) % end;
}

static const char *choose(const char *const *words, unsigned int count)
{
	return words[random_below(count)];
}

#define CHOOSE(words) choose(words, sizeof(words) / sizeof(*(words)))

static void make_target(char *target, size_t size)
{
	static const char *const parts[] = {"/",
					    "debug",
					    "pprof",
					    "heap",
					    "..",
					    "%2e%2e",
					    "%00",
					    "%",
					    "%zz",
					    "pid",
					    "7",
					    "-1",
					    "container",
					    "a%2fb",
					    "\\",
					    "metrics",
					    "sd",
					    "?",
					    "&",
					    "=",
					    "pid=",
					    "seconds=",
					    "99999999999999999999",
					    "gc=1",
					    "debug=",
					    ";",
					    "+",
					    "%ff%fe",
					    "\xc3\xa9",
					    "\x01",
					    "//",
					    "#",
					    "http://x/",
					    "*",
					    "symbol",
					    "0x",
					    "<script>",
					    "'\"",
					    "%u0041",
					    "~",
					    "page"};
	unsigned int count = random_below(12);

	*target = '\0';
	if (random_below(4))
		strcpy(target, "/");
	for (unsigned int i = 0; i < count; i++)
		snprintf(target + strlen(target), size - strlen(target), "%s%s", CHOOSE(parts),
			 random_below(2) ? "/" : "");
}

static size_t make_request(char *request, size_t size, char *target, size_t target_size)
{
	static const char *const methods[] = {"GET", "GET", "GET",    "HEAD",	 "POST",   "PUT",
					      "get", "",    "G\x01T", "OPTIONS", "CONNECT"};
	static const char *const versions[] = {"HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "", "HTTP", "ICY"};
	static const char *const hosts[] = {"localhost", "localhost", "127.0.0.1:1", "evil.example",
					    "",		 "a b",	      "[",	     "\xff"};
	static const char *const headers[] = {"",
					      "Content-Length: -1\r\n",
					      "Content-Length: 5\r\n",
					      "Content-Length: 99999999999999999999\r\n",
					      "Transfer-Encoding: chunked\r\n",
					      "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
					      "X\r\n",
					      ": y\r\n",
					      " folded\r\n",
					      "Authorization: Basic ====\r\n",
					      "Accept: \x01\r\n",
					      "Connection: upgrade\r\n",
					      "Expect: 100-continue\r\n",
					      "Range: bytes=0-\r\n"};
	size_t length;

	make_target(target, target_size);
	length = (size_t)snprintf(request, size, "%s %s %s\r\nHost: %s\r\n%s\r\n%s", CHOOSE(methods), target,
				  CHOOSE(versions), CHOOSE(hosts), CHOOSE(headers),
				  random_below(3) ? "" : "body\r\n0\r\n\r\n");
	if (!random_below(6)) /* it ends somewhere */
		length -= random_below((unsigned int)length);
	if (!random_below(10))
		request[random_below((unsigned int)length)] = (char)random_below(256);
	request[length] = '\0';
	return length;
}

static bool matches(const char *text, const char *pattern)
{
	regex_t regex;
	bool found;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	found = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return found;
}

/* libmicrohttpd refuses other versions than HTTP/1.x itself, before heaptap is asked. */
static bool is_of_other_version(const char *request)
{
	return matches(request, "^[^\r\n]* HTTP/[02-9]\\.[0-9][\r\n]");
}

/* By chance nothing is wrong with it. */
static bool is_good(const char *request)
{
	return matches(request,
		       "^(GET|HEAD) /(metrics|sd|page|debug/pprof/(heap|symbol)?)?(\\?[!-~]*)? HTTP/1\\.[0-9]\r\n"
		       "Host: (localhost|127\\.0\\.0\\.1:1)\r\n");
}

static void test_hostile_requests_get_4xx_or_nothing(void **state)
{
	static const char good[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	unsigned int descriptors = descriptors_at_rest(scene, url), refused = 0;
	char request[4096], target[1024];

	for (unsigned int i = 0; i < REQUESTS; i++) {
		size_t length = make_request(request, sizeof(request), target, sizeof(target));
		unsigned int status = http_send(url, request, length);
		bool is_refused = status >= 400 && status < 500;

		refused += is_refused;
		if (status && !is_refused && !(status == 505 && is_of_other_version(request)) &&
		    !(status == 200 && is_good(request)))
			fail_msg("%u to: %s", status, request);
		if (i % 50 == 0)
			assert_int_equal(http_send(url, good, sizeof(good) - 1), 200);
	}
	assert_in_range(refused, REQUESTS / 2, REQUESTS);
	assert_unharmed(scene, url, descriptors);
	served_finish(scene);
}

/* --- too much --- */

static void test_hostile_headers_and_bodies_without_end(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	unsigned int descriptors = descriptors_at_rest(scene, url), status;
	char *text = malloc(LARGE + 256);

	served_steps(scene, "k");
	for (unsigned int i = 0; i < 3; i++) {
		static const char *const beginnings[] = {
			"GET /", "GET / HTTP/1.1\r\nHost: localhost\r\nX: ",
			"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4194304\r\n\r\n"};

		memset(text, 'a', LARGE + 256);
		memcpy(text, beginnings[i], strlen(beginnings[i]));
		status = http_send(url, text, LARGE + 200);
		if (status && (status < 400 || status > 499))
			fail_msg("%u to %.30s", status, beginnings[i]);
	}
	free(text);
	assert_int_equal(
		http_status(scene,
			    format("-d \"$(head -c 100000 /dev/zero | tr '\\0' 1)\" %s/debug/pprof/symbol", url)),
		200);
	assert_unharmed(scene, url, descriptors);
	served_finish(scene);
}

/* --- too slow --- */

static void test_hostile_trickle_is_cut_off(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	unsigned int descriptors = descriptors_at_rest(scene, url);
	struct pollfd fds[TRICKLES];
	uint64_t deadline = deadline_ns();
	unsigned int open = TRICKLES;

	served_steps(scene, "k");
	for (unsigned int i = 0; i < TRICKLES; i++)
		fds[i] = (struct pollfd){.fd = http_connect(url), .events = POLLIN};
	while (open) {
		/* Each says a byte now and then, for ever. */
		for (unsigned int i = 0; i < TRICKLES; i++)
			if (fds[i].fd >= 0)
				send(fds[i].fd, i % 2 ? "G" : "\r\n", 1, MSG_NOSIGNAL);
		poll(fds, TRICKLES, 200);
		for (unsigned int i = 0; i < TRICKLES; i++) {
			char byte[512];

			if (fds[i].fd < 0 || !fds[i].revents || read(fds[i].fd, byte, sizeof(byte)) > 0)
				continue;
			close(fds[i].fd);
			fds[i].fd = -1;
			open--;
		}
		/* Others are answered meanwhile. */
		assert_int_equal(http_status(scene, format("%s/healthz", url)), 200);
		if (now_ns() > deadline)
			fail_msg("%u connections are still open", open);
	}
	assert_unharmed(scene, url, descriptors);
	served_finish(scene);
}

/* --- too many --- */

/* More than there may be: those beyond are turned away or wait, and when they have gone there is room again. */
static void test_hostile_crowd_goes_away(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	unsigned int descriptors = descriptors_at_rest(scene, url);
	int fds[300];

	served_steps(scene, "k");
	for (unsigned int i = 0; i < 300; i++)
		fds[i] = http_connect(url);
	served_steps(scene, "kf");
	for (unsigned int i = 0; i < 300; i++)
		close(fds[i]);
	http_await(scene, format("%s/healthz", url), "ok");
	assert_unharmed(scene, url, descriptors);
	served_finish(scene);
}

/* A client that goes away during its ten minutes does not keep a place, and heaptap does not wait for others to end. */
static void test_hostile_waiting_clients_do_not_hold_up_the_end(void **state)
{
	static const char request[] = "GET /debug/pprof/heap?seconds=600 HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	unsigned int descriptors = descriptors_at_rest(scene, url);
	int gone = http_connect(url), stays = http_connect(url);

	served_steps(scene, "k");
	assert_int_equal(send(gone, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	close(gone);
	await_descriptors(scene, url, descriptors + 1);
	assert_int_equal(send(stays, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	served_finish(scene);
	close(stays);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hostile_requests_get_4xx_or_nothing),
		TEST(test_hostile_headers_and_bodies_without_end),
		TEST(test_hostile_trickle_is_cut_off),
		TEST(test_hostile_crowd_goes_away),
		TEST(test_hostile_waiting_clients_do_not_hold_up_the_end),
	};

	return cmocka_run_group_tests_name("serve_hostile", tests, NULL, NULL);
}
