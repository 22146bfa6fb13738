/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/push.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>

#include "base/clock.h"
#include "base/status.h"

/* Until that moment; true: it is to stop before. */
static bool wait_until(int stop_fd, u64 due_ns)
{
	struct pollfd stop = {.fd = stop_fd, .events = POLLIN};

	for (u64 now = clock_now_ns(); now < due_ns; now = clock_now_ns()) {
		u64 left_ms = (due_ns - now) / 1000000 + 1;

		if (poll(&stop, 1, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX) > 0)
			return true;
	}
	return false;
}

/* Intervals that were missed, by a source or a store that took so long, are part of the next one. */
int push_intervals(struct source *source, int stop_fd, void *arg)
{
	struct pushing *pushing = arg;
	const struct push_options *options = pushing_options(pushing);
	double every_s = options->every_s > 0 ? options->every_s : PUSH_EVERY_S;
	u64 every_ns = (u64)(every_s * 1e9), due = clock_now_ns();
	bool over = false, ended;

	while (!over) {
		u64 now = clock_now_ns();

		due = due + every_ns > now ? due + every_ns : now + every_ns;
		over = !options->path && wait_until(stop_fd, due);
		over |= pushing_interval(pushing, source, 0, &ended) == -ECANCELED || ended;
		/* What was freed lies between what stays, from where malloc itself gives nothing back. */
		malloc_trim(0);
	}
	return STATUS_DONE;
}

int push_run(struct source *source, int stop_fd, void *arg)
{
	struct pushing *pushing;
	int status = pushing_open(arg, &pushing);

	if (status)
		return status;
	push_intervals(source, stop_fd, pushing);
	status = pushing_finish(pushing);
	pushing_close(pushing);
	return status;
}
