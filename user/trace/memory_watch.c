/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/memory_watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "heap/go_profile.h"
#include "heap/memory_notes.h"
#include "system/smaps.h"

#define SHARE  100 /* one part of so many of the time is for reading */
#define GROWTH 4   /* by one part of so many */

void memory_watch_see(struct memory_watch *watch, struct image *image)
{
	u64 last = image->rss_noted_bytes, now = image->rss_end_bytes;
	bool written = image->heap.alloc_count || go_reading_has_profile(image->go);

	/* Nothing is written of the heap of one without samples. */
	if (!written || now <= last || now - last < last / GROWTH || now - last <= watch->grown_by)
		return;
	watch->grown = image;
	watch->grown_by = now - last;
}

static void read_notes(void *arg)
{
	struct memory_watch *watch = arg;
	u64 begun_ns = clock_now_ns();
	struct memory_parts parts = memory_read(watch->notes);

	watch->resident = memory_sum(&parts).resident;
	watch->taken_ns += clock_now_ns() - begun_ns;
}

/* The thread is done, if there was one. */
static void finish(struct memory_watch *watch, u64 now_ns)
{
	if (!watch->thread.started)
		return;
	thread_finish(&watch->thread);
	watch->due_ns = now_ns + watch->taken_ns * SHARE;
	/* It ended meanwhile. */
	if (watch->resident)
		log_detail("the memory of pid %u has been read, at %s resident", watch->pid,
			   units_bytes((double)watch->resident).text);
}

static void begin(struct memory_watch *watch, const struct recorder_options *options, struct image *image)
{
	u64 begun_ns = clock_now_ns();
	int smaps = smaps_open((pid_t)image->pid);

	watch->notes = smaps < 0 ? NULL : memory_notes_of(options, image, smaps);
	if (!watch->notes) {
		image->rss_noted_bytes = image->rss_end_bytes;
		return;
	}
	watch->pid = image->pid;
	watch->taken_ns = clock_now_ns() - begun_ns;
	if (thread_start(&watch->thread, read_notes, watch))
		memory_notes_free(watch->notes);
}

void memory_watch_read(struct memory_watch *watch, const struct recorder_options *options, u64 now_ns)
{
	struct image *image = watch->grown;

	watch->grown = NULL;
	watch->grown_by = 0;
	if (watch->thread.started && !thread_is_done(&watch->thread))
		return;
	finish(watch, now_ns);
	if (image && !image->end_ns && now_ns >= watch->due_ns)
		begin(watch, options, image);
}

void memory_watch_end(struct memory_watch *watch)
{
	thread_finish(&watch->thread);
}
