/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_LAUNCH_H
#define RECORD_LAUNCH_H
/*
 * `record -- COMMAND`: COMMAND started (spare.h), let go, watched, and what heaptap exits with because of it. What fails
 * has been said when these return. Statuses are those of base/status.h.
 */
#include <signal.h>
#include <stdbool.h>

#include "record/selection.h"
#include "system/workload.h"
#include "record/spare.h"

/* Valid when zeroed: there is no COMMAND. */
struct launch {
	struct workload command;
	struct spare spare;
	bool started; /* and not given up */
	bool released;
	int status; /* a shell's; -EAGAIN while it runs */
};

/* Start options->command, which waits before its exec and will run with signal mask `mask`. */
int launch_start(const struct selection_options *options, const sigset_t *mask, struct launch *launch);

/* Let it exec. */
int launch_release(struct launch *launch);

/* Has it ended? launch_look notes it, and is to be called when a child has. */
void launch_look(struct launch *launch);
bool launch_over(const struct launch *launch);

/* It never runs, unless it has been released. */
void launch_abandon(struct launch *launch);

/*
 * What to exit with when the recording came to `status`; waits for COMMAND if it was released. Its own status wins,
 * unless heaptap failed; but its 0 gives way to what --fail-on found.
 */
int launch_status(struct launch *launch, int status);

void launch_free(struct launch *launch);

#endif
