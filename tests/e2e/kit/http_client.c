/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define AGAIN_MS 100 /* between two requests of http_await: there is no event to wait for in another program */

static unsigned int port_of(const char *text)
{
	const char *at = text ? strstr(text, "http://127.0.0.1:") : NULL;
	unsigned int port = 0;

	if (!at || sscanf(at, "http://127.0.0.1:%u", &port) != 1)
		fail_msg("no address in: %s", text);
	return port;
}

const char *http_serve(struct scene *scene, const char *const *args)
{
	static char url[64];

	session_start_bare(&scene->session, args);
	session_await(&scene->session, "/debug/pprof/heap");
	/* With --push another address stands before. */
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", port_of(strstr(scene->session.words, "serving on ")));
	return url;
}

/* --- curl --- */

static char *read_file(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	char *text;

	if (!file || fstat(fileno(file), &status))
		fail_msg("%s: %s", path, strerror(errno));
	text = malloc((size_t)status.st_size + 1);
	*ret_size = fread(text, 1, (size_t)status.st_size, file);
	text[*ret_size] = '\0';
	fclose(file);
	return text;
}

void http_fetch(const struct scene *scene, const char *arguments, struct http_response *ret_response)
{
	const char *command = format(
		"cd '%s' && : > body && : > head && curl -s --noproxy '*' --path-as-is -D head -o body -w '%%{http_code}' %s",
		scene->dir, arguments);
	FILE *pipe = popen(command, "re");
	size_t size;

	*ret_response = (struct http_response){0};
	if (!pipe || fscanf(pipe, "%u", &ret_response->status) != 1)
		fail_msg("%s: no status", command);
	pclose(pipe);
	ret_response->head = read_file(format("%s/head", scene->dir), &size);
	ret_response->body = read_file(format("%s/body", scene->dir), &ret_response->size);
}

void http_release(struct http_response *response)
{
	free(response->head);
	free(response->body);
	*response = (struct http_response){0};
}

unsigned int http_status(const struct scene *scene, const char *arguments)
{
	struct http_response response;
	unsigned int status;

	http_fetch(scene, arguments, &response);
	status = response.status;
	http_release(&response);
	return status;
}

void http_await(const struct scene *scene, const char *arguments, const char *words)
{
	char *kept = strdup(arguments); /* format's strings do not last for many requests */
	uint64_t deadline = deadline_ns();
	bool found = false;

	while (!found) {
		struct http_response response;

		http_fetch(scene, kept, &response);
		found = strstr(response.body, words);
		if (!found && now_ns() > deadline)
			fail_msg("no \"%s\" in what %s gives: %s", words, kept, response.body);
		http_release(&response);
		if (!found)
			poll(NULL, 0, AGAIN_MS);
	}
	free(kept);
}

/* --- sockets --- */

int http_connect(const char *url)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port_of(url)),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail_msg("cannot connect to %s: %s", url, strerror(errno));
	return fd;
}

/* The server may have answered and closed before everything is sent. */
static void send_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

		if (sent < 0)
			return;
		bytes += sent;
		size -= (size_t)sent;
	}
}

/* 0: there is none. What only says that a body is waited for (100) stands before it. */
static unsigned int final_status(const char *answer)
{
	unsigned int status = 0;

	for (const char *end; *answer; answer = end + 4) {
		if (sscanf(answer, "HTTP/1.%*1[01] %3u", &status) != 1)
			fail_msg("no status in: %.200s", answer);
		end = strstr(answer, "\r\n\r\n");
		if (status != 100 || !end)
			return status;
	}
	return 0;
}

unsigned int http_send(const char *url, const char *bytes, size_t size)
{
	struct pollfd poll_fd = {.fd = http_connect(url), .events = POLLIN};
	char answer[4096] = "";
	ssize_t got = 1;
	size_t length = 0;

	send_all(poll_fd.fd, bytes, size);
	shutdown(poll_fd.fd, SHUT_WR);
	while (got > 0 && length < sizeof(answer) - 1) {
		if (poll(&poll_fd, 1, DEADLINE_MS) != 1)
			fail_msg("no end of the answer to: %.200s", bytes);
		got = read(poll_fd.fd, answer + length, sizeof(answer) - 1 - length);
		length += got > 0 ? (size_t)got : 0;
	}
	close(poll_fd.fd);
	answer[length] = '\0';
	return final_status(answer);
}
