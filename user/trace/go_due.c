/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/go_due.h"

#include "base/clock.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"

#define LOOK_NS 20000000ULL /* for readings in a row, while events wait; those left are due at the next look */

void go_reader_due(struct tracer *tracer, struct tracee *tracee)
{
	if (tracee->go_due)
		return;
	tracee->go_due = true;
	tracee->go_next = tracer->go_due;
	tracer->go_due = tracee;
}

/* Those from *link on come first the next time. */
static void begin_there(struct tracer *tracer, struct tracee **link)
{
	struct tracee *rest = *link, **last = link;

	if (!rest || link == &tracer->go_due)
		return;
	while (*last)
		last = &(*last)->go_next;
	*last = tracer->go_due;
	*link = NULL;
	tracer->go_due = rest;
}

static void look_at_due(struct tracer *tracer)
{
	struct tracee **link = &tracer->go_due;
	u64 begun_ns = clock_now_ns();

	while (*link && clock_now_ns() - begun_ns < LOOK_NS) {
		struct tracee *tracee = *link;

		go_reader_look(tracer, tracee, tracee_image(tracer, tracee), false);
		if (go_reader_is_open(tracee->go)) {
			link = &tracee->go_next;
			continue;
		}
		tracee->go_due = false;
		*link = tracee->go_next;
	}
	begin_there(tracer, link);
}

void go_readers_look(struct tracer *tracer, bool now)
{
	if (!tracer->reads_go)
		return;
	if (!now)
		look_at_due(tracer);
	for (struct tracee *tracee = now ? tracer->tracees : NULL; tracee; tracee = tracee->hh.next)
		go_reader_look(tracer, tracee, tracee_image(tracer, tracee), true);
}
