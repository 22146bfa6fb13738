/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A preloaded library that says on stderr how long heaptap rests between two drains, whenever that changes: "shim: rests 20 ms". Where
 * HEAPTAP_SHIM_RESTS is "endless", no rest ends by time: what then goes on was woken, and each time that is said.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WATCHED 3 /* descriptors of the loop that drains: the tracer's, signals, questions */

static bool is_endless(void)
{
	const char *rests = getenv("HEAPTAP_SHIM_RESTS");

	return rests && !strcmp(rests, "endless");
}

static int wait_for(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	struct timespec timeout = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};

	return (int)syscall(SYS_ppoll, fds, count, timeout_ms < 0 ? NULL : &timeout, NULL, 0);
}

__attribute__((visibility("default"))) int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	static int said_ms;
	int ready;

	if (count != WATCHED)
		return wait_for(fds, count, timeout_ms);
	if (timeout_ms != said_ms)
		dprintf(STDERR_FILENO, "shim: rests %d ms\n", timeout_ms);
	said_ms = timeout_ms;
	if (!is_endless())
		return wait_for(fds, count, timeout_ms);
	ready = wait_for(fds, count, -1);
	dprintf(STDERR_FILENO, "shim: woken by %s\n", fds[1].revents ? "a signal" : "the tracer");
	return ready;
}
