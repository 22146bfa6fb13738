/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/batch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/status.h"
#include "format/table_view.h"
#include "top/terminal.h"
#include "top/watch.h"

/* Until the time is over; true: it is to stop. */
static bool wait(int stop_fd, double seconds)
{
	struct pollfd stop = {.fd = stop_fd, .events = POLLIN};

	return poll(&stop, 1, (int)(seconds * 1000)) > 0;
}

static void look(struct source *source, struct watch *watch)
{
	struct reading_want want, next = watch_want(watch);
	struct reading reading;

	/* A look may find that there is one process only, whose sites are wanted then, or no longer one. */
	do {
		want = next;
		reading_take(source, &want, &reading);
		watch_take(watch, &reading);
		next = watch_want(watch);
	} while (next.target.pid != want.target.pid || next.target.image != want.target.image);
}

/* 0 or negative errno. */
static int print(struct watch *watch, const struct top_options *options, bool first)
{
	unsigned int columns = table_view_columns(STDOUT_FILENO);
	struct frame frame;

	watch_compose(watch, columns ? columns : TABLE_VIEW_COLUMNS, 0, options->rows, terminal_charset(), &frame);
	if (!first)
		putchar('\n');
	frame_print(&frame, stdout);
	frame_release(&frame);
	return fflush(stdout) || ferror(stdout) ? -errno : 0;
}

static int run(struct source *source, int stop_fd, const struct top_options *options, struct watch *watch)
{
	u32 frames = 0;
	bool over;
	int err;

	look(source, watch);
	/* What has just begun has nothing to show. */
	if (!watch->reading.listing.ended && !wait(stop_fd, options->delay_s))
		look(source, watch);
	do {
		err = watch->reading.err ? watch->reading.err : print(watch, options, !frames);
		over = watch->reading.listing.ended || ++frames == options->count || wait(stop_fd, options->delay_s);
		if (!over)
			look(source, watch);
	} while (!err && !over);
	return err;
}

int batch_run(struct source *source, int stop_fd, const struct top_options *options)
{
	struct watch watch;
	int err;

	watch_open(&watch, options->scope);
	watch.unattended = true;
	err = run(source, stop_fd, options, &watch);
	watch_release(&watch);
	if (!err)
		return STATUS_DONE;
	log_error("cannot go on: %s", strerror(-err));
	return STATUS_FAILED;
}
