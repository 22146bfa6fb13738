/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "top/saved_profile.h"

/* --- one look --- */

static void read_profile(struct source *source, struct reading *reading)
{
	struct source_want want = {.pid = reading->want.target.pid, .image = reading->want.target.image, .gc = true};

	reading->profile_err = source_profile(source, &want, &reading->profile);
	if (!reading->profile_err && reading->want.allocated)
		reading->profile_err = overview_make_by(reading->profile, ALLOC_SPACE, &reading->overview);
	else if (!reading->profile_err)
		reading->profile_err = overview_make(reading->profile, &reading->overview);
	if (reading->want.write)
		saved_profile_write(reading->profile, reading->profile_err, reading->written, sizeof(reading->written));
}

void reading_take(struct source *source, const struct reading_want *want, struct reading *ret_reading)
{
	struct reading *reading = ret_reading;

	*reading = (struct reading){.want = *want};
	reading->err = source_list(source, true, &reading->listing);
	if (want->target.pid)
		read_profile(source, reading);
	if (want->past && !reading->err)
		past_read(source, &reading->listing, &want->target, &reading->past);
	reading->at_ns = clock_now_ns();
}

void reading_release(struct reading *reading)
{
	if (reading->profile)
		overview_release(&reading->overview);
	profile_free(reading->profile);
	past_release(&reading->past);
	source_listing_release(&reading->listing);
	*reading = (struct reading){0};
}

const struct overview *reading_overview(const struct reading *reading)
{
	return reading->profile && !reading->profile_err ? &reading->overview : NULL;
}

/* --- beside the screen --- */

struct reader {
	struct source *source;
	int done; /* eventfd */
	bool busy;
	struct thread thread;
	struct reading reading;
};

struct reader *reader_new(struct source *source)
{
	struct reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->source = source;
	reader->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (reader->done >= 0)
		return reader;
	free(reader);
	return NULL;
}

void reader_free(struct reader *reader)
{
	if (!reader)
		return;
	source_cancel(reader->source);
	thread_finish(&reader->thread);
	if (reader->busy)
		reading_release(&reader->reading);
	close(reader->done);
	free(reader);
}

int reader_fd(const struct reader *reader)
{
	return reader->done;
}

static void work(void *arg)
{
	struct reader *reader = arg;
	struct reading_want want = reader->reading.want;

	reading_take(reader->source, &want, &reader->reading);
	eventfd_write(reader->done, 1);
}

bool reader_start(struct reader *reader, const struct reading_want *want)
{
	int err;

	if (reader->busy)
		return false;
	reader->reading = (struct reading){.want = *want};
	reader->busy = true;
	err = thread_start(&reader->thread, work, reader);
	if (err) {
		reader->reading.err = err;
		eventfd_write(reader->done, 1);
	}
	return true;
}

bool reader_take(struct reader *reader, struct reading *ret_reading)
{
	eventfd_t count;

	if (!reader->busy || eventfd_read(reader->done, &count))
		return false;
	thread_finish(&reader->thread);
	*ret_reading = reader->reading;
	reader->busy = false;
	return true;
}
