/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A watch that is given readings of made profiles, and what it shows as text. */
#include "unit/profile/golden.h"
#include "unit/format/printed.h"

#include "base/text.h"
#include "profile/profile_copy.h"
#include "top/watch.h"

#define SECOND 1000000000ULL

static struct watch watch;
static u64 scene_ns; /* of the next reading */

static int scene_setup(void **state)
{
	(void)state;
	scene_ns = 100 * SECOND;
	watch_open(&watch, "container web");
	return 0;
}

static int scene_teardown(void **state)
{
	(void)state;
	watch_release(&watch);
	return 0;
}

/* A copy that may be freed, of a profile whose tables are static. */
static inline struct profile *owned(const struct profile *profile)
{
	struct profile *copy = profile_copy(profile);

	assert_non_null(copy);
	return copy;
}

/* The watch is told, two seconds after the last time, that there are these processes; the first that is wanted gives its profile. */
static inline void scene_read(const struct profile *const *profiles, u32 count)
{
	struct reading reading = {.want = watch_want(&watch), .at_ns = scene_ns};

	reading.listing.sample_bytes = profiles[0]->sample_bytes;
	reading.listing.duration_ns = scene_ns - 95 * SECOND;
	for (u32 i = 0; i < count; i++) {
		assert_int_equal(index_table_add(&reading.listing.processes, owned(profiles[i]), NULL), 0);
		if (reading.profile || reading.want.target.pid != profiles[i]->pid)
			continue;
		reading.profile = owned(profiles[i]);
		assert_int_equal((reading.want.allocated
					  ? overview_make_by(reading.profile, ALLOC_SPACE, &reading.overview)
					  : overview_make(reading.profile, &reading.overview)),
				 0);
	}
	if (reading.want.target.pid && !reading.profile)
		reading.profile_err = -ENOENT;
	scene_ns += 2 * SECOND;
	watch_take(&watch, &reading);
}

/* What is shown, for the caller to free. */
static inline char *scene_text(unsigned int columns, u32 lines, enum display_charset charset)
{
	struct printed printed;
	struct frame frame;

	watch_compose(&watch, columns, lines, 20, charset, &frame);
	assert_false(frame.failed);
	if (lines)
		assert_int_equal(frame.count, lines);
	for (u32 i = 0; i < frame.count; i++)
		if (display_columns(frame.lines[i].text) > columns)
			fail_msg("wider than %u columns: '%s'", columns, frame.lines[i].text);
	frame_print(&frame, printed_open(&printed));
	frame_release(&frame);
	return printed_close(&printed);
}

static inline void assert_shows(const char *wanted)
{
	char *text = scene_text(80, 24, DISPLAY_UTF8);

	if (!strstr(text, wanted))
		fail_msg("no \"%s\" in:\n%s", wanted, text);
	free(text);
}

static inline void assert_shows_not(const char *unwanted)
{
	char *text = scene_text(80, 24, DISPLAY_UTF8);

	if (strstr(text, unwanted))
		fail_msg("\"%s\" in:\n%s", unwanted, text);
	free(text);
}

/* A key, and what the loop of the screen does after it but for reading. */
static inline enum screen_request press(u32 key)
{
	enum screen_request request = screen_state_key(&watch.state, key, &watch.rows, screen_rows(&watch.state, 24));

	if (request == REQUEST_BASELINE || request == REQUEST_NO_BASELINE)
		watch_mark(&watch, request == REQUEST_BASELINE);
	watch_sort(&watch);
	return request;
}

static inline void type(const char *text)
{
	for (; *text; text++)
		press((u8)*text);
}

/* Three processes: one grows, one is in a container, one has ended. */
static struct profile processes[3];

static inline void make_processes(void)
{
	processes[0] = golden_living();
	processes[0].samples[0].inuse_count = processes[0].samples[0].alloc_count =
		200; /* what an earlier test changed */
	processes[0].pid = 77;
	processes[0].comm = (char *)"grower";
	processes[1] = golden_living();
	processes[1].sample_count = 0;
	processes[1].pid = 5;
	processes[1].comm = (char *)"idle";
	processes[1].container = (char *)"0123456789abcdef";
	processes[1].container_name = (char *)"web";
	processes[2] = golden_small();
	for (int i = 0; i < 2; i++)
		processes[i].rss_end_bytes = (u64)(200 - 100 * i) << 20;
}

static inline void read_processes(u32 count)
{
	const struct profile *const all[] = {&processes[0], &processes[1], &processes[2]};

	scene_read(all, count);
}
