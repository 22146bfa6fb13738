/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connections.c: what is too slow is shut down, what waits for its answer is not; times are divided by a thousand. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/connections.h"

#define SCALE	    1000
#define DEADLINE_MS 60000

static struct connections *connections;
static struct connection *connection;
static int ends[2];

static int setup(void **state)
{
	(void)state;
	connections = connections_new(SCALE);
	if (!connections || socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return -1;
	connection = connections_begin(connections, ends[0]);
	return connection ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	connections_end(connections, connection);
	connections_free(connections);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* The other end sees the end of it. */
static void assert_shut_down(void)
{
	struct pollfd fd = {.fd = ends[1], .events = POLLIN};
	char byte;

	assert_int_equal(poll(&fd, 1, DEADLINE_MS), 1);
	assert_int_equal(read(ends[1], &byte, 1), 0);
}

static void test_connection_without_a_request_is_shut_down(void **state)
{
	(void)state;
	assert_shut_down();
}

static void test_connection_whose_answer_is_not_taken_is_shut_down(void **state)
{
	(void)state;
	connections_sending(connections, connection, 1 << 20);
	assert_shut_down();
}

/* Another one that began later is shut down meanwhile. */
static void test_connection_that_waits_for_its_answer_is_not(void **state)
{
	int others[2];
	struct connection *later;
	struct pollfd fd = {.fd = ends[1], .events = POLLIN};
	char byte;

	(void)state;
	connections_answering(connections, connection);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, others), 0);
	later = connections_begin(connections, others[0]);
	assert_non_null(later);
	assert_int_equal(read(others[1], &byte, 1), 0);
	assert_int_equal(poll(&fd, 1, 0), 0);
	connections_end(connections, later);
	close(others[0]);
	close(others[1]);
	connections_idle(connections, connection);
	assert_shut_down();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_connection_without_a_request_is_shut_down),
		TEST(test_connection_whose_answer_is_not_taken_is_shut_down),
		TEST(test_connection_that_waits_for_its_answer_is_not),
	};

	return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
