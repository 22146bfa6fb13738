/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/parse_number.h"

#define BACKLOG	    64
#define UNIX_PREFIX "unix:"

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

/* --- what is written --- */

static bool parse_port(const char *text, in_port_t *ret_port)
{
	u64 port = 0;
	int err = parse_number(text, 65535, &port);

	*ret_port = htons((in_port_t)port);
	return !err || (err == -EDOM && !strcmp(text, "0"));
}

static int parse_unix(const char *path, union address *ret_address)
{
	if (!*path || strlen(path) >= sizeof(ret_address->un.sun_path))
		return -EINVAL;
	ret_address->un.sun_family = AF_UNIX;
	strcpy(ret_address->un.sun_path, path);
	return 0;
}

static int parse_tcp(const char *text, union address *ret_address)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	in_port_t port;

	if (!colon || (size_t)(colon - text) >= sizeof(host) || !parse_port(colon + 1, &port))
		return -EINVAL;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	if (!strcmp(host, "localhost"))
		strcpy(host, "127.0.0.1");
	ret_address->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
	if (inet_pton(AF_INET, host, &ret_address->in.sin_addr) == 1)
		return 0;
	if (*host != '[' || host[strlen(host) - 1] != ']')
		return -EINVAL;
	host[strlen(host) - 1] = '\0';
	ret_address->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
	return inet_pton(AF_INET6, host + 1, &ret_address->in6.sin6_addr) == 1 ? 0 : -EINVAL;
}

static int parse(const char *text, union address *ret_address)
{
	*ret_address = (union address){.any.sa_family = AF_UNSPEC};
	if (!strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)))
		return parse_unix(text + strlen(UNIX_PREFIX), ret_address);
	return parse_tcp(text, ret_address);
}

static bool is_local(const union address *address)
{
	if (address->any.sa_family == AF_INET)
		return ntohl(address->in.sin_addr.s_addr) >> 24 == 127;
	return address->any.sa_family == AF_UNIX || IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
}

int listener_check(const char *text, bool *ret_local)
{
	union address address;
	int err = parse(text, &address);

	*ret_local = !err && is_local(&address);
	return err;
}

/* --- the socket --- */

static socklen_t size_of(const union address *address)
{
	switch (address->any.sa_family) {
	case AF_INET:
		return sizeof(address->in);
	case AF_INET6:
		return sizeof(address->in6);
	default:
		return sizeof(address->un);
	}
}

/* A socket whose program has gone, as after SIGKILL, is in the way. */
static void remove_abandoned(const union address *address)
{
	struct stat status;
	int fd;

	if (address->any.sa_family != AF_UNIX || lstat(address->un.sun_path, &status) || !S_ISSOCK(status.st_mode))
		return;
	/* One that is too busy for another connection would keep this waiting. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, &address->any, sizeof(address->un)) && errno == ECONNREFUSED)
		unlink(address->un.sun_path);
	close(fd);
}

/* The mode is that of the socket from its first moment on: Linux takes it from the descriptor. */
static int bind_and_listen(int fd, const union address *address)
{
	int on = 1, err;

	if (address->any.sa_family == AF_UNIX)
		fchmod(fd, 0600);
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &address->any, size_of(address)))
		return -errno;
	if (!listen(fd, BACKLOG))
		return 0;
	err = errno;
	if (address->any.sa_family == AF_UNIX)
		unlink(address->un.sun_path);
	return -err;
}

static void remember_path(const char *path, struct listener *listener)
{
	struct stat status;

	strcpy(listener->unix_path, path);
	if (lstat(path, &status))
		return;
	listener->device = status.st_dev;
	listener->inode = status.st_ino;
}

static void describe(int fd, struct listener *listener)
{
	union address address = {.any.sa_family = AF_UNSPEC};
	socklen_t size = sizeof(address);
	char host[INET6_ADDRSTRLEN] = "";

	if (*listener->unix_path || getsockname(fd, &address.any, &size)) {
		snprintf(listener->address, sizeof(listener->address), "localhost");
	} else if (address.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address.in.sin_addr, host, sizeof(host));
		snprintf(listener->address, sizeof(listener->address), "%s:%u", host, ntohs(address.in.sin_port));
	} else {
		inet_ntop(AF_INET6, &address.in6.sin6_addr, host, sizeof(host));
		snprintf(listener->address, sizeof(listener->address), "[%s]:%u", host, ntohs(address.in6.sin6_port));
	}
}

int listener_open(const char *text, struct listener *ret_listener)
{
	union address address;
	int err = parse(text, &address);

	*ret_listener = (struct listener){.fd = -1};
	if (err)
		return err;
	remove_abandoned(&address);
	ret_listener->local = is_local(&address);
	ret_listener->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ret_listener->fd < 0)
		return -errno;
	err = bind_and_listen(ret_listener->fd, &address);
	if (!err && address.any.sa_family == AF_UNIX)
		remember_path(address.un.sun_path, ret_listener);
	if (!err) {
		describe(ret_listener->fd, ret_listener);
		return 0;
	}
	close(ret_listener->fd);
	ret_listener->fd = -1;
	return err;
}

void listener_close(struct listener *listener)
{
	struct stat status;

	if (*listener->unix_path && !lstat(listener->unix_path, &status) && status.st_dev == listener->device &&
	    status.st_ino == listener->inode)
		unlink(listener->unix_path);
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
}
