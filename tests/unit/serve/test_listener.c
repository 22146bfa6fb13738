/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listener.c: which places there are, and whose a Unix socket's path is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "serve/listener.h"
#include "unit/system/scratch.h"

#define PLACE "unix:socket"

static void test_listener_places(void **state)
{
	static const struct {
		const char *text;
		int err;
		bool local;
	} places[] = {
		{"127.0.0.1:7979", 0, true},
		{"localhost:0", 0, true},
		{"127.9.9.9:1", 0, true},
		{"[::1]:80", 0, true},
		{"unix:/run/x", 0, true},
		{"0.0.0.0:80", 0, false},
		{"[::]:80", 0, false},
		{"10.0.0.1:80", 0, false},
		{"127.0.0.1", -EINVAL, false},
		{"127.0.0.1:", -EINVAL, false},
		{"127.0.0.1:65536", -EINVAL, false},
		{"::1:80", -EINVAL, false},
		{"[::1:80", -EINVAL, false},
		{"[]:80", -EINVAL, false},
		{":80", -EINVAL, false},
		{"unix:", -EINVAL, false},
		{"host:80", -EINVAL, false},
		{"", -EINVAL, false},
	};
	bool local;

	(void)state;
	for (unsigned int i = 0; i < sizeof(places) / sizeof(*places); i++) {
		assert_int_equal(listener_check(places[i].text, &local), places[i].err);
		assert_int_equal(local, places[i].local);
	}
}

static void test_listener_removes_its_path_and_replaces_an_abandoned_one(void **state)
{
	struct listener listener;
	struct stat status;

	(void)state;
	assert_int_equal(listener_open(PLACE, &listener), 0);
	assert_int_equal(stat("socket", &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	close(listener.fd); /* as after a SIGKILL */
	assert_int_equal(listener_open(PLACE, &listener), 0);
	listener_close(&listener);
	assert_false(scratch_has("socket"));
}

static void test_listener_leaves_what_is_not_its_own(void **state)
{
	struct listener listener, other;

	(void)state;
	assert_int_equal(listener_open(PLACE, &listener), 0);
	assert_int_equal(listener_open(PLACE, &other), -EADDRINUSE);
	assert_int_equal(unlink("socket"), 0);
	assert_int_equal(listener_open(PLACE, &other), 0);
	listener_close(&listener);
	assert_true(scratch_has("socket"));
	listener_close(&other);
	assert_false(scratch_has("socket"));
	scratch_file("socket", "a file", 0600);
	assert_int_equal(listener_open(PLACE, &listener), -EADDRINUSE);
	assert_true(scratch_has("socket"));
}

/* Its program takes no connections, and no more fit into its queue. */
static void test_listener_does_not_wait_for_one_that_is_busy(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int busy = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client, err;
	struct listener listener;

	(void)state;
	assert_int_equal(bind(busy, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(busy, 0), 0);
	do {
		client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		err = connect(client, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;
	} while (!err);
	assert_int_equal(err, EAGAIN);
	alarm(60); /* ends what would wait for ever */
	assert_int_equal(listener_open(PLACE, &listener), -EADDRINUSE);
	alarm(0);
	assert_true(scratch_has("socket"));
	close(busy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_listener_places),
		TEST(test_listener_removes_its_path_and_replaces_an_abandoned_one),
		TEST(test_listener_leaves_what_is_not_its_own),
		TEST(test_listener_does_not_wait_for_one_that_is_busy),
	};

	return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
