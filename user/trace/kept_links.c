/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/kept_links.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "trace/uprobe_link.h"

#define DESCRIPTORS 2

struct kept_links {
	int socket;
	u32 *legs; /* by descriptor: the number of the leg that it belongs to; 0: none */
	u32 count;
};

/* Who asked must not wait for an answer that cannot be sent: it is the end, for both. */
static void answer(const struct kept_links *links, int err)
{
	ssize_t size;

	do
		size = send(links->socket, &err, sizeof(err), MSG_NOSIGNAL);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		shutdown(links->socket, SHUT_RDWR);
}

/* --- opening -------------------------------------------------------------------------------------------------------- */

static int keep(struct kept_links *links, int fd, u32 number)
{
	u32 more = (u32)fd + 1 > links->count ? (u32)fd + 1 - links->count : 0;

	if (array_grow(&links->legs, links->count, more))
		return -ENOMEM;
	memset(links->legs + links->count, 0, more * sizeof(*links->legs));
	links->count += more;
	links->legs[fd] = number;
	return 0;
}

static int open_event(const struct link_leg *leg, int program, const char *path, int fds[DESCRIPTORS])
{
	if (leg->event_only)
		return uprobe_link_create_event(path, leg->offsets[0], leg->pid, leg->ret);
	return uprobe_link_create_perf(program, path, leg->offsets[0], leg->cookies[0], leg->pid, leg->ret, &fds[1]);
}

static int open_leg(struct kept_links *links, const struct link_request *request, int program, int file)
{
	const struct link_leg *leg = &request->leg;
	int fds[DESCRIPTORS] = {-1, -1}, err = 0;
	char path[64];

	/* What was passed found no room here. */
	if (file < 0)
		return -EMFILE;
	/* The descriptor's own name is the inode itself, whatever became of its path. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	fds[0] = leg->attach_type ? uprobe_link_create_multi(program, leg->attach_type, path, leg->offsets,
							     leg->cookies, leg->count, leg->pid, leg->ret)
				  : open_event(leg, program, path, fds);
	if (fds[0] < 0)
		return fds[0];
	for (int i = 0; i < DESCRIPTORS && !err; i++)
		err = fds[i] < 0 ? 0 : keep(links, fds[i], request->number);
	for (int i = 0; i < DESCRIPTORS && err; i++) {
		if (fds[i] >= 0 && (u32)fds[i] < links->count)
			links->legs[fds[i]] = 0;
		close(fds[i]);
	}
	return err;
}

/* --- closing -------------------------------------------------------------------------------------------------------- */

/* The links of the leg (`others`: all links but those). */
static void close_links(struct kept_links *links, u32 number, bool others)
{
	for (u32 fd = 0; fd < links->count; fd++) {
		if (!links->legs[fd] || (links->legs[fd] == number) == others)
			continue;
		close((int)fd);
		links->legs[fd] = 0;
	}
}

/* In a child: wait until its descriptors of the leg are the last ones, and leave the closing to its exit. */
static _Noreturn void exit_with(struct kept_links *links, u32 number, int parent)
{
	char byte = 0;

	close(links->socket);
	close_links(links, number, true);
	if (write(parent, &byte, 1) == 1)
		while (read(parent, &byte, 1) < 0 && errno == EINTR)
			;
	_exit(0);
}

static void close_leg(struct kept_links *links, u32 number)
{
	char byte;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		close_links(links, number, false);
		return;
	}
	if (!fork()) {
		close(ends[0]);
		exit_with(links, number, ends[1]);
	}
	close(ends[1]);
	while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
		;
	close_links(links, number, false);
	close(ends[0]);
}

/* --- requests ------------------------------------------------------------------------------------------------------- */

/* As many as were passed and found room; -1: not that one. */
static void take_passed(const struct cmsghdr *passed, int fds[DESCRIPTORS])
{
	size_t size = passed && passed->cmsg_len > CMSG_LEN(0) ? passed->cmsg_len - CMSG_LEN(0) : 0;

	for (int i = 0; i < DESCRIPTORS; i++)
		fds[i] = -1;
	if (size && size <= DESCRIPTORS * sizeof(int))
		memcpy(fds, CMSG_DATA(passed), size);
}

/* False at the end of the stream. */
static bool receive(const struct kept_links *links, struct link_request *request, int fds[DESCRIPTORS])
{
	struct iovec part = {.iov_base = request, .iov_len = sizeof(*request)};
	char control[CMSG_SPACE(DESCRIPTORS * sizeof(int))] __attribute__((aligned(sizeof(struct cmsghdr))));
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t size;

	do
		size = recvmsg(links->socket, &message, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	take_passed(CMSG_FIRSTHDR(&message), fds);
	return size == (ssize_t)sizeof(*request);
}

void kept_links_serve(int socket)
{
	struct kept_links links = {.socket = socket};
	struct link_request request;
	int fds[DESCRIPTORS];

	while (receive(&links, &request, fds)) {
		switch (request.verb) {
		case LINK_OPEN:
			answer(&links, open_leg(&links, &request, fds[0], fds[1]));
			break;
		case LINK_CLOSE:
			close_leg(&links, request.number);
			break;
		case LINK_WAIT:
			/* Ended children are not kept for it: it fails when the last one has gone. */
			while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
				;
			answer(&links, 0);
			break;
		}
		for (int i = 0; i < DESCRIPTORS; i++)
			if (fds[i] >= 0)
				close(fds[i]);
	}
	_exit(0);
}
