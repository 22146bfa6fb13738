/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * `record -- COMMAND`: starts COMMAND, lets it go, watches it, and derives heaptap's exit status from it. With --follow
 * COMMAND and its children get copies of the allocator files that they will map (file_copies.h), so that no other
 * process pays for the probes in them. Errors are logged before these functions return; statuses are of base/status.h.
 */
#include <signal.h>
#include <stdbool.h>

#include "record/selection.h"
#include "system/workload.h"

struct binaries;
struct first_steps;

#define INLINE_BYTES_MIN 4096 /* smaller intervals are left to probes */
#define LAUNCH_SMALL_INTERVAL                                                                                          \
	"samples at so small an interval cost as much as the traps of probes; it begins at -R 4096"

/* Valid when zeroed: there is no COMMAND. */
struct launch {
	struct workload command;
	struct binaries *binaries; /* COMMAND's files; NULL without copies; tracer_open takes it over */
	unsigned int copies;	   /* files copied; 0: none, so other processes may pay */
	unsigned int inlined;	   /* of these, files that have the sampler (inline/graft.h) */
	const char *reason; /* why there are no copies, to follow "because"; static storage; NULL: none were wanted */
	bool started;	    /* and not abandoned */
	bool released;
	int status; /* a shell's; -EAGAIN while it runs */
};

/*
 * Start the selection's COMMAND, which waits before its exec and will run with signal mask `mask`. Where copies cannot
 * be had it starts without. `sample_bytes`: the mean bytes between samples, for a sampler in the process.
 */
int launch_start(const struct selection *selection, u64 sample_bytes, const sigset_t *mask, struct launch *launch);

/* The status, as env(1) gives it, for a COMMAND that cannot be found or executed: `err` is the negative errno. */
int launch_failure(int err);

/*
 * What launch_start would do about copies for the program `path`, as far as can be known without starting it: the
 * copies are made and thrown away. launch->binaries holds the original files. 0 or -ENOMEM. End with launch_free.
 */
int launch_rehearse(const struct selection *selection, u64 sample_bytes, const char *path, struct launch *launch);

/* Let it exec; `steps`: what looks at it before it runs, or NULL. */
int launch_release(struct launch *launch, const struct first_steps *steps);

/* Has it ended? To be called when a child has. */
bool launch_look(struct launch *launch);

/* Kill it, unless it has been released. */
void launch_abandon(struct launch *launch);

/*
 * The status to exit with when the recording's own is `status`; waits for COMMAND if it was released. COMMAND's status
 * wins, unless heaptap failed; if COMMAND exits 0 and --fail-on triggered, it is STATUS_FOUND.
 */
int launch_status(struct launch *launch, int status);

void launch_free(struct launch *launch);
