/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Ctrl-C while tracing is being stopped and profiles are written and pushed. When it is pressed again, or after a second, the user is told what is
 * going on and that another one drops it; a SIGINT from then on does. SIGTERM and SIGHUP, which many senders repeat, never do. With -q
 * too the user is told: without that line, nobody would know how to end a long end.
 */
#include "base/thread.h"
#include "record/output_dir.h"
#include "system/signals.h"

/* Valid when zeroed: it does not watch. */
struct interrupt {
	struct signals *signals;
	const struct output_dir *output;
	bool pushed; /* the profiles are, too */
	int end;     /* an eventfd: written when everything is done */
	struct thread thread;
};

/* Watch in a thread of its own, to which `signals` belongs until interrupt_finish. Without a thread, nothing drops anything. */
void interrupt_watch(struct interrupt *interrupt, struct signals *signals, const struct output_dir *output,
		     bool pushed);
void interrupt_finish(struct interrupt *interrupt);
