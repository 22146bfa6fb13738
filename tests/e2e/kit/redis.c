/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A redis-server of a test's own, and as much of its protocol (RESP) as two commands need. */
#include "redis.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static size_t receive(int fd, char *buffer, size_t size)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	ssize_t length = -1;

	if (poll(&poll_fd, 1, DEADLINE_MS) == 1)
		length = read(fd, buffer, size);
	if (length < 0)
		fail_msg("the server does not answer");
	return (size_t)length;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

/* The program lies in redis-tools; the package with its second name would start a server of its own when installed. */
void redis_start(struct redis *redis, struct scene *scene)
{
	const char *program = format("%s/redis-server", scene->dir), *path = format("%s/socket", scene->dir);

	assert_int_equal(symlink("/usr/bin/redis-check-rdb", program), 0);
	target_start(&scene->target,
		     (const char *const[]){format("LD_PRELOAD=%s libc.so.6", beside("shim_jemalloc.so")), NULL},
		     (const char *const[]){program, "--port", "0", "--unixsocket", path, "--save", "", "--dir",
					   scene->dir, "--logfile", "", NULL});
	target_await_words(&scene->target, "eady to accept connections");
	*redis = (struct redis){.socket = connect_to(path)};
}

static void send_all(const struct redis *redis, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = write(redis->socket, bytes, length);

		if (sent <= 0)
			fail_msg("the server is gone");
		bytes += sent;
		length -= (size_t)sent;
	}
}

/* An answer is a line, or a line with a number of bytes and then these bytes. */
static void expect(const struct redis *redis, const char *line, size_t follow)
{
	static char answer[REDIS_VALUE + 64];
	size_t wanted = strlen(line) + follow, got = 0, more;

	while (got < wanted) {
		more = receive(redis->socket, answer + got, wanted - got);
		if (!more)
			fail_msg("the server is gone");
		got += more;
	}
	if (memcmp(answer, line, strlen(line)))
		fail_msg("the server answers \"%.40s\" and not \"%s\"", answer, line);
}

void redis_set(struct redis *redis, unsigned int key)
{
	static char command[REDIS_VALUE + 128];
	int length = snprintf(command, sizeof(command), "*3\r\n$3\r\nSET\r\n$14\r\nkey:%010u\r\n$%d\r\n%0*u\r\n", key,
			      REDIS_VALUE, REDIS_VALUE, key);

	send_all(redis, command, (size_t)length);
	expect(redis, "+OK\r\n", 0);
	if (key >= redis->keys)
		redis->keys = key + 1;
}

void redis_get(struct redis *redis, unsigned int key)
{
	const char *command = format("*2\r\n$3\r\nGET\r\n$14\r\nkey:%010u\r\n", key);

	send_all(redis, command, strlen(command));
	expect(redis, format("$%d\r\n", REDIS_VALUE), REDIS_VALUE + 2);
}

void redis_stop(struct redis *redis, struct scene *scene)
{
	static const char command[] = "*2\r\n$8\r\nSHUTDOWN\r\n$6\r\nNOSAVE\r\n";

	send_all(redis, command, strlen(command));
	assert_int_equal(target_finish(&scene->target), 0);
	close(redis->socket);
}
