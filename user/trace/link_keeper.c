/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/link_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME   "heaptap-links" /* at most 15 characters */
#define SOCKET 3	       /* its descriptor in the process, the first behind the standard streams */

static struct {
	pid_t pid;
	int socket; /* of a pair; the other end is the process's alone */
	u32 number; /* given last */
} keeper;

/* --- the process ---------------------------------------------------------------------------------------------------- */

/* Where that is not allowed it stays as likely a victim as any process of its size, which is small. */
static void survive_want_of_memory(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "-1000", 5) < 0)
		errno = 0;
	if (fd >= 0)
		close(fd);
}

/* Who reads heaptap's standard streams is to see their end when heaptap ends; and no directory is to be kept busy. */
static void let_go(int socket)
{
	if (socket != SOCKET)
		dup3(socket, SOCKET, O_CLOEXEC);
	closefrom(SOCKET + 1);
	for (int fd = 0; fd < SOCKET; fd++) {
		close(fd);
		/* The lowest number that is free. */
		if (open("/dev/null", O_RDWR) < 0)
			errno = 0;
	}
	if (chdir("/"))
		errno = 0;
}

static _Noreturn void run(int socket)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGCHLD, SIG_IGN); /* its children are not waited for one by one */
	setsid();
	prctl(PR_SET_NAME, NAME);
	survive_want_of_memory();
	let_go(socket);
	kept_links_serve(SOCKET);
}

int link_keeper_start(void)
{
	int ends[2], err;

	if (keeper.pid)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	keeper.pid = fork();
	if (!keeper.pid)
		run(ends[1]);
	err = keeper.pid < 0 ? -errno : 0;
	close(ends[1]);
	if (!err) {
		keeper.socket = ends[0];
		return 0;
	}
	close(ends[0]);
	keeper.pid = 0;
	return err;
}

/* --- requests ------------------------------------------------------------------------------------------------------- */

static int ask(const struct link_request *request, const int *fds)
{
	struct iovec part = {.iov_base = (void *)request, .iov_len = sizeof(*request)};
	char control[CMSG_SPACE(2 * sizeof(int))] __attribute__((aligned(sizeof(struct cmsghdr)))) = {0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t size;

	if (fds) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		*CMSG_FIRSTHDR(&message) = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(2 * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), fds, 2 * sizeof(int));
	}
	do
		size = sendmsg(keeper.socket, &message, MSG_NOSIGNAL);
	while (size < 0 && errno == EINTR);
	return size < 0 ? (errno == EPIPE ? -EOWNERDEAD : -errno) : 0;
}

static int hear(void)
{
	ssize_t size;
	int err;

	do
		size = recv(keeper.socket, &err, sizeof(err), 0);
	while (size < 0 && errno == EINTR);
	return size == (ssize_t)sizeof(err) ? err : -EOWNERDEAD;
}

int link_keeper_open(const struct link_leg *leg, int program, int file, u32 *ret_number)
{
	struct link_request request = {.verb = LINK_OPEN, .number = keeper.number + 1, .leg = *leg};
	int err = keeper.pid ? ask(&request, (const int[]){program, file}) : -EOWNERDEAD;

	if (!err)
		err = hear();
	if (!err)
		*ret_number = ++keeper.number;
	return err;
}

void link_keeper_close(u32 number)
{
	ask(&(struct link_request){.verb = LINK_CLOSE, .number = number}, NULL);
}

void link_keeper_wait(void)
{
	if (keeper.pid && !ask(&(struct link_request){.verb = LINK_WAIT}, NULL))
		hear();
}

void link_keeper_stop(void)
{
	if (!keeper.pid)
		return;
	link_keeper_wait();
	close(keeper.socket);
	while (waitpid(keeper.pid, NULL, 0) < 0 && errno == EINTR)
		;
	keeper.pid = 0;
}

/* --- questions ------------------------------------------------------------------------------------------------------ */

bool link_keeper_lost(void)
{
	struct pollfd poll_fd = {.fd = keeper.socket};

	return keeper.pid && poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLHUP;
}

pid_t link_keeper_pid(void)
{
	return keeper.pid;
}

bool link_keeper_is_own(pid_t pid)
{
	return keeper.pid && getsid(pid) == keeper.pid;
}
