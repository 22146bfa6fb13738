/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRACER_H
#define TRACER_H
/*
 * Everything between the kernel and the recorder: loads the programs on the best rung this kernel has, attaches to
 * processes, follows their execs and mappings, drains ring and side-band, and settles the accounts. Says what goes
 * wrong (log.h) and returns enum status of cli.h.
 */
#include <sys/types.h>

#include "cli.h"
#include "recorder.h"

struct tracer;

struct tracer_options {
	u64 sample_bytes;
	bool alloc_only, no_new, show_allocator;
	unsigned int processes; /* to be traced, for sizing */
	bool wide;		/* one unfiltered link per file serves all processes */
	struct collector_options collector;
	const struct pool *pools; /* of --alloc */
	struct target *target;	  /* the files of a program to attach to, taken over whatever happens; NULL: unknown */
};

int tracer_open(const struct tracer_options *options, struct tracer **ret_tracer);
void tracer_close(struct tracer *tracer);

/* Trace a running process. STATUS_DONE, STATUS_NO_TARGET, STATUS_UNSUPPORTED or STATUS_FAILED, the reason said. */
int tracer_attach(struct tracer *tracer, pid_t pid);

/* Trace process `pid`, a child that waits before its exec of `path`, from that exec on. */
int tracer_attach_program(struct tracer *tracer, pid_t pid, const char *path);

/* Becomes readable when the ring fills up; drain at least every TRACER_DRAIN_MS all the same. */
#define TRACER_DRAIN_MS 20
int tracer_fd(const struct tracer *tracer);

/* Take in what has happened. True when everything there was has been taken in, false when there is more. */
bool tracer_drain(struct tracer *tracer);

/* Note how much memory the processes hold now, for want of a way to ask when they are gone. */
void tracer_look(struct tracer *tracer);

unsigned int tracer_alive(const struct tracer *tracer); /* processes that have not ended */

/* Processes attached to whose allocation functions have not been called at all: says so, once each. */
void tracer_warn_silent(struct tracer *tracer);

/* Stop tracing at once, remove the probes, take in what is left and settle every ledger. */
void tracer_stop(struct tracer *tracer);

struct recorder *tracer_recorder(const struct tracer *tracer);
const char *tracer_attach_name(const struct tracer *tracer); /* "session", "multi", "perf" */

#endif
