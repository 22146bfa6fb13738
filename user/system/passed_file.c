/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/passed_file.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the calls point to, in the thread's scratch memory. */
struct passing {
	int ends[2];
	struct msghdr message;
	struct iovec vector;
	char byte;
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control;
};

_Static_assert(sizeof(struct passing) <= BORROWED_SCRATCH, "it is on the thread's stack");

static int call(struct borrowed_thread *borrowed, long number, u64 one, u64 two, u64 three, u64 four)
{
	const u64 arguments[BORROWED_ARGUMENTS] = {one, two, three, four};
	s64 result;
	int err = borrowed_thread_call(borrowed, number, arguments, &result);

	return err ? err : (int)result;
}

void passed_file_close(struct borrowed_thread *borrowed, int fd)
{
	call(borrowed, SYS_close, (u64)fd, 0, 0, 0);
}

/* Is it the socket that the thread has by that number? It may have descriptors of its own, apart from its process's. */
static bool is_socket_of(int socket, pid_t tid, int fd)
{
	char path[64], link[64], name[64];
	struct stat status;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", tid, fd);
	length = readlink(path, link, sizeof(link) - 1);
	if (length < 0 || fstat(socket, &status))
		return false;
	link[length] = '\0';
	snprintf(name, sizeof(name), "socket:[%lu]", (unsigned long)status.st_ino);
	return !strcmp(link, name);
}

/* A descriptor of ours for one of theirs. */
static int take(const struct borrowed_thread *borrowed, int fd)
{
	int process = (int)syscall(SYS_pidfd_open, borrowed->threads->pid, 0), taken;

	if (process < 0)
		return -errno;
	taken = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	if (taken < 0)
		taken = -errno;
	close(process);
	if (taken >= 0 && !is_socket_of(taken, borrowed->thread->tid, fd)) {
		close(taken);
		return -EXDEV;
	}
	return taken;
}

static int send_file(int socket, int fd)
{
	struct passing passing = {0};
	struct cmsghdr *header = &passing.control.header;

	passing.vector = (struct iovec){.iov_base = &passing.byte, .iov_len = 1};
	passing.message = (struct msghdr){
		.msg_iov = &passing.vector,
		.msg_iovlen = 1,
		.msg_control = passing.control.bytes,
		.msg_controllen = sizeof(passing.control.bytes),
	};
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &passing.message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* Pointers in it are the thread's. */
static int receive(struct borrowed_thread *borrowed, int end, int *ret_fd)
{
	const u64 at = borrowed->scratch;
	struct passing passing = {
		.message =
			{
				.msg_iov = (void *)(at + offsetof(struct passing, vector)),
				.msg_iovlen = 1,
				.msg_control = (void *)(at + offsetof(struct passing, control)),
				.msg_controllen = sizeof(passing.control.bytes),
			},
		.vector = {.iov_base = (void *)(at + offsetof(struct passing, byte)), .iov_len = 1},
	};
	int memory = borrowed->threads->memory, received;

	if (pwrite(memory, &passing, sizeof(passing), (off_t)at) != sizeof(passing))
		return -EFAULT;
	received = call(borrowed, SYS_recvmsg, (u64)end, at + offsetof(struct passing, message),
			MSG_CMSG_CLOEXEC | MSG_DONTWAIT, 0);
	if (received < 0)
		return received;
	if (pread(memory, &passing, sizeof(passing), (off_t)at) != sizeof(passing))
		return -EFAULT;
	if (passing.message.msg_controllen < CMSG_LEN(sizeof(int)))
		return -EMFILE;
	memcpy(ret_fd, CMSG_DATA(&passing.control.header), sizeof(*ret_fd));
	return 0;
}

int passed_file_give(struct borrowed_thread *borrowed, int fd, int *ret_fd)
{
	int ends[2], socket;
	int err = call(borrowed, SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, borrowed->scratch);

	if (err)
		return err;
	if (pread(borrowed->threads->memory, ends, sizeof(ends), (off_t)borrowed->scratch) != sizeof(ends))
		return -EFAULT;
	socket = take(borrowed, ends[1]);
	err = socket < 0 ? socket : send_file(socket, fd);
	if (socket >= 0)
		close(socket);
	if (!err)
		err = receive(borrowed, ends[0], ret_fd);
	passed_file_close(borrowed, ends[0]);
	passed_file_close(borrowed, ends[1]);
	return err;
}
