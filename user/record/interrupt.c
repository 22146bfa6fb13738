/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "format/output_file.h"

#define SAME_STOP_MS 1000 /* signals that come sooner belong to the stop that is under way */

/* True when everything is done; false after `timeout_ms`, or (-1: no timeout) when signals have come. */
static bool is_over(const struct interrupt *interrupt, int timeout_ms)
{
	struct pollfd fds[2] = {
		{.fd = interrupt->end, .events = POLLIN},
		{.fd = interrupt->signals->fd, .events = POLLIN},
	};

	while (poll(fds, timeout_ms < 0 ? 2 : 1, timeout_ms) < 0 && errno == EINTR)
		;
	return fds[0].revents;
}

/* The process that holds the probes removes them when heaptap is gone (trace/link_keeper.h). */
static _Noreturn void drop(const struct interrupt *interrupt)
{
	log_error("dropped: profiles that are not in '%s' yet are lost; the probes are removed",
		  interrupt->output->path);
	output_file_abandon(interrupt->output->fd);
	signals_die();
}

static void watch(void *arg)
{
	struct interrupt *interrupt = arg;

	if (is_over(interrupt, SAME_STOP_MS))
		return;
	signals_read(interrupt->signals);
	log_error("still stopping and writing profiles to '%s'; Ctrl-C now drops them", interrupt->output->path);
	interrupt->signals->interrupt = false;
	while (!is_over(interrupt, -1)) {
		signals_read(interrupt->signals);
		if (interrupt->signals->interrupt)
			drop(interrupt);
	}
}

void interrupt_watch(struct interrupt *interrupt, struct signals *signals, const struct output_dir *output)
{
	*interrupt = (struct interrupt){.signals = signals, .output = output, .end = eventfd(0, EFD_CLOEXEC)};
	if (interrupt->end >= 0)
		thread_start(&interrupt->thread, watch, interrupt);
}

void interrupt_finish(struct interrupt *interrupt)
{
	if (interrupt->end < 0)
		return;
	eventfd_write(interrupt->end, 1);
	thread_finish(&interrupt->thread);
	close(interrupt->end);
}
