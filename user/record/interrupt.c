/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "format/output_file.h"

#define SILENT_MS 1000 /* an end that takes longer is explained */

/* True when everything is done; false after `timeout_ms` (-1: no timeout), or when signals have come. */
static bool is_over(const struct interrupt *interrupt, int timeout_ms)
{
	struct pollfd fds[2] = {
		{.fd = interrupt->end, .events = POLLIN},
		{.fd = interrupt->signals->fd, .events = POLLIN},
	};

	while (poll(fds, 2, timeout_ms) < 0 && errno == EINTR)
		;
	return fds[0].revents;
}

/* True when everything is done; false after SILENT_MS, or when Ctrl-C was pressed again. */
static bool is_over_soon(const struct interrupt *interrupt)
{
	u64 start_ns = clock_now_ns();
	int passed_ms = 0;

	interrupt->signals->interrupt = false;
	while (passed_ms < SILENT_MS && !interrupt->signals->interrupt) {
		if (is_over(interrupt, SILENT_MS - passed_ms))
			return true;
		signals_read(interrupt->signals);
		passed_ms = (int)((clock_now_ns() - start_ns) / 1000000);
	}
	return false;
}

/* The process that holds the probes removes them when heaptap is gone (trace/link_keeper.h). */
static _Noreturn void drop(const struct interrupt *interrupt)
{
	log_error("dropped: profiles that are not in '%s' yet%s are lost; the probes are removed",
		  interrupt->output->path, interrupt->pushed ? ", or not pushed," : "");
	output_file_abandon(interrupt->output->fd);
	output_dir_abandon(interrupt->output);
	signals_die();
}

static void watch(void *arg)
{
	struct interrupt *interrupt = arg;

	if (is_over_soon(interrupt))
		return;
	log_error("stopping, and writing profiles to '%s'%s; press Ctrl-C again to drop them", interrupt->output->path,
		  interrupt->pushed ? " and pushing them" : "");
	interrupt->signals->interrupt = false;
	while (!is_over(interrupt, -1)) {
		signals_read(interrupt->signals);
		if (interrupt->signals->interrupt)
			drop(interrupt);
	}
}

void interrupt_watch(struct interrupt *interrupt, struct signals *signals, const struct output_dir *output, bool pushed)
{
	*interrupt = (struct interrupt){
		.signals = signals, .output = output, .pushed = pushed, .end = eventfd(0, EFD_CLOEXEC)};
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
