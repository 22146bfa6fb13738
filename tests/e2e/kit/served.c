/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "served.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "pprof_client.h"

const char *served_start(struct scene *scene, const char *path)
{
	const char *url;

	target_start(&scene->target, NULL, (const char *const[]){path, NULL});
	target_ready(&scene->target);
	url = http_serve(scene, (const char *const[]){"serve", "-R", "1", "--listen", "127.0.0.1:0", "-p",
						      format("%d", scene->target.pid), NULL});
	target_go(&scene->target);
	return url;
}

void served_steps(const struct scene *scene, const char *wanted)
{
	for (char done; *wanted; wanted++) {
		struct pollfd poll_fd = {.fd = scene->target.out, .events = POLLIN};

		assert_int_equal(write(scene->target.in, wanted, 1), 1);
		if (poll(&poll_fd, 1, DEADLINE_MS) != 1 || read(scene->target.out, &done, 1) != 1 || done != *wanted)
			fail_msg("the target did not do '%c'", *wanted);
	}
}

uint64_t served_total(const struct scene *scene, const char *url, const char *measure)
{
	char *top;
	uint64_t found = pprof_total(scene, url, measure, &top);

	assert_words(top, "File: target_steps");
	free(top);
	return found;
}

uint64_t served_metric(const struct scene *scene, const char *url, const char *name)
{
	struct http_response response;
	uint64_t sum = 0;

	http_fetch(scene, format("%s/metrics", url), &response);
	assert_int_equal(response.status, 200);
	for (const char *at = response.body; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (!strncmp(at, name, strlen(name)) && strchr("{ ", at[strlen(name)]))
			sum += strtoull(at + strcspn(at, " "), NULL, 10);
	http_release(&response);
	return sum;
}

void assert_words(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("no \"%s\" in:\n%s", words, text);
}

void served_assert(const struct scene *scene, const char *arguments, unsigned int status, const char *words)
{
	struct http_response response;

	http_fetch(scene, arguments, &response);
	if (response.status != status)
		fail_msg("%s: %u instead of %u: %s", arguments, response.status, status, response.body);
	assert_words(response.body, words);
	http_release(&response);
}

/* One that nobody uses at this moment. */
static unsigned int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

unsigned int served_prometheus(struct scene *scene)
{
	unsigned int port = free_port();

	target_start(&scene->more[0], NULL,
		     (const char *const[]){beside("servers/usr/bin/prometheus"),
					   format("--config.file=%s/prometheus.yml", scene->dir),
					   format("--storage.tsdb.path=%s/data", scene->dir),
					   format("--web.listen-address=127.0.0.1:%u", port), "--log.level=error",
					   NULL});
	return port;
}

void served_finish(struct scene *scene)
{
	session_signal(&scene->session, SIGTERM);
	assert_int_equal(session_finish(&scene->session), 0);
}
