/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kept_links.c where the system takes no answer from it: who asks must not wait for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static ssize_t send_nothing(int fd, const void *buffer, size_t size, int flags)
{
	(void)fd, (void)buffer, (void)size, (void)flags;
	errno = ENOBUFS;
	return -1;
}

#define send send_nothing

#include "trace/kept_links.c"

#define LIMIT_MS 180000 /* ends what hangs */

static void test_who_asks_hears_the_end(void **state)
{
	const struct link_request request = {.verb = LINK_WAIT};
	struct pollfd poll_fd = {.events = POLLIN};
	int ends[2], status, answer;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	pid = fork();
	if (!pid) {
		close(ends[0]);
		kept_links_serve(ends[1]);
	}
	assert_int_equal(write(ends[0], &request, sizeof(request)), sizeof(request));
	poll_fd.fd = ends[0];
	if (poll(&poll_fd, 1, LIMIT_MS) != 1) {
		kill(pid, SIGKILL);
		fail_msg("no answer, and no end");
	}
	assert_int_equal(read(ends[0], &answer, sizeof(answer)), 0);
	/* It holds its own copy of the other end. */
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_asks_hears_the_end),
	};

	return cmocka_run_group_tests_name("kept links, mute", tests, NULL, NULL);
}
