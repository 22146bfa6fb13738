/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop of the screen: keys, looks that a thread takes, the size of the terminal, the end. It waits for all of them at once. */
#include "top/top.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "top/batch.h"
#include "top/terminal.h"
#include "top/watch.h"

#define BACKGROUND_MS 200 /* between two looks whether heaptap is in the foreground again */

struct loop {
	const struct top_options *options;
	struct watch watch;
	struct reader *reader;
	int stop_fd;
	enum display_charset charset;
	u64 next_ns; /* when to look */
	bool again;  /* another look is wanted as soon as this one is done */
	bool write;  /* and it is to write the profile */
	bool over;
};

static void draw(struct loop *loop)
{
	struct frame frame;
	unsigned int columns;
	u32 lines;

	terminal_size(&columns, &lines);
	terminal_message(loop->watch.state.message, sizeof(loop->watch.state.message));
	watch_compose(&loop->watch, columns, lines, 0, loop->charset, &frame);
	terminal_draw(&frame);
	frame_release(&frame);
}

/* --- looking --- */

static void look(struct loop *loop)
{
	struct reading_want want = watch_want(&loop->watch);

	want.write = loop->write;
	if (want.write)
		want.target = loop->watch.state.target;
	if (!reader_start(loop->reader, &want)) {
		loop->again = true;
		return;
	}
	loop->again = loop->write = false;
	loop->next_ns = clock_now_ns() + (u64)(loop->options->delay_s * 1e9);
}

static void take_look(struct loop *loop)
{
	struct watch *watch = &loop->watch;
	enum level before = watch->state.level;
	struct reading reading;

	if (!reader_take(loop->reader, &reading))
		return;
	watch_take(watch, &reading);
	if (loop->again || watch->state.level != before)
		look(loop);
}

/* Nothing comes any more: there is nothing to look for, unless a key asks. */
static bool is_still(const struct loop *loop)
{
	return loop->watch.state.paused || loop->watch.reading.listing.ended;
}

static int time_left_ms(const struct loop *loop, bool front)
{
	u64 now = clock_now_ns();

	if (!front)
		return BACKGROUND_MS;
	if (is_still(loop))
		return -1;
	return loop->next_ns > now ? (int)((loop->next_ns - now) / 1000000 + 1) : 0;
}

/* --- keys --- */

static u32 page(const struct loop *loop)
{
	unsigned int columns;
	u32 lines;

	terminal_size(&columns, &lines);
	return screen_rows(&loop->watch.state, lines);
}

static void take_key(struct loop *loop, u32 key)
{
	struct watch *watch = &loop->watch;
	enum screen_request request = screen_state_key(&watch->state, key, &watch->rows, page(loop));

	if (request == REQUEST_WRITE)
		loop->write = true;
	if (request == REQUEST_QUIT)
		loop->over = true;
	else if (request == REQUEST_READ || request == REQUEST_WRITE)
		look(loop);
	else if (request == REQUEST_BASELINE || request == REQUEST_NO_BASELINE)
		watch_mark(watch, request == REQUEST_BASELINE);
	else if (request == REQUEST_REDRAW)
		terminal_redraw();
	/* Sites by what they allocate are others than those by what is in use: read again. */
	if (request == REQUEST_ROWS && watch->state.level != LEVEL_PROCESSES &&
	    watch_want(watch).allocated != watch->reading.want.allocated)
		look(loop);
	if (request == REQUEST_ROWS || request == REQUEST_READ)
		watch_sort(watch);
}

static void take_keys(struct loop *loop)
{
	u32 key;

	while (!loop->over && (key = terminal_key()))
		take_key(loop, key);
}

/* --- the loop --- */

static void run(struct loop *loop)
{
	enum {
		KEYS,
		STOP,
		READER,
		CHANGE,
		FILES
	};
	struct pollfd files[FILES] = {
		[KEYS] = {.events = POLLIN},
		[STOP] = {.fd = loop->stop_fd, .events = POLLIN},
		[READER] = {.fd = reader_fd(loop->reader), .events = POLLIN},
		[CHANGE] = {.fd = terminal_change_fd(), .events = POLLIN},
	};
	bool front = true;

	look(loop);
	while (!loop->over) {
		if (front)
			draw(loop);
		/* In the background keys are the shell's, and a look at them would stop heaptap. */
		files[KEYS].fd = front ? STDIN_FILENO : -1;
		if (poll(files, FILES, time_left_ms(loop, front)) < 0)
			continue;
		front = terminal_take();
		take_look(loop);
		if (front)
			take_keys(loop);
		loop->over |= files[STOP].revents || files[KEYS].revents & (POLLHUP | POLLERR);
		if (!is_still(loop) && clock_now_ns() >= loop->next_ns)
			look(loop);
	}
}

static int refuse(int err)
{
	if (err == -ENOTTY)
		log_error("standard input or output is no terminal: 'heaptap top --batch' needs none");
	else if (err == -ENXIO)
		log_error("TERM names no terminal that is known here: 'heaptap top --batch' needs none");
	else if (err == -EBUSY)
		log_error(
			"heaptap is in the background, where the terminal would stop it while it traces: start it in the "
			"foreground, or use 'heaptap top --batch'");
	else
		log_error("cannot use the terminal: %s", strerror(-err));
	return err == -ENOTTY || err == -ENXIO || err == -EBUSY ? STATUS_USAGE : STATUS_FAILED;
}

int top_check(const struct top_options *options)
{
	int err = options->batch ? 0 : terminal_check();

	return err ? refuse(err) : STATUS_DONE;
}

int top_run(struct source *source, int stop_fd, void *arg)
{
	const struct top_options *options = arg;
	struct loop loop = {.options = options, .stop_fd = stop_fd, .charset = terminal_charset()};
	int err;

	if (options->batch)
		return batch_run(source, stop_fd, options);
	watch_open(&loop.watch, options->scope);
	loop.reader = reader_new(source);
	err = loop.reader ? terminal_open() : -errno;
	if (!err)
		run(&loop);
	terminal_close();
	reader_free(loop.reader);
	watch_release(&loop.watch);
	return err ? refuse(err) : STATUS_DONE;
}
