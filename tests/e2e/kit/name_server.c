/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "name_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

void name_server_start(struct name_server *server, struct scene *scene)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	server->client = -1;
	server->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->server < 0 || bind(server->server, (struct sockaddr *)&address, size) ||
	    listen(server->server, 16) || getsockname(server->server, (struct sockaddr *)&address, &size))
		fail_msg("no port to listen on");
	snprintf(server->url, sizeof(server->url), "DEBUGINFOD_URLS=http://127.0.0.1:%d", ntohs(address.sin_port));
	scene->session.environment[0] = server->url;
	scene->session.environment[1] = format("DEBUGINFOD_CACHE_PATH=%s/cache", scene->dir);
	scene->session.environment[2] = "NO_PROXY=127.0.0.1";
}

void name_server_await_client(struct name_server *server)
{
	struct pollfd poll_fd = {.fd = server->server, .events = POLLIN};

	if (poll(&poll_fd, 1, DEADLINE_MS) != 1)
		fail_msg("nobody asked for names");
	server->client = accept4(server->server, NULL, NULL, SOCK_CLOEXEC);
}

void name_server_stop(struct name_server *server)
{
	close(server->client);
	close(server->server);
}
