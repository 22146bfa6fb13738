/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tracing one target, from beginning to end: its processes (selection), COMMAND (launch), the tracer, signals, and the
 * loop that empties the ring. What is made of it belongs to its client: `record` writes files, `top` and `serve` answer questions meanwhile.
 *
 * In this order: tracing_open; tracing_launch; tracing_load; tracing_attach; tracing_watch; tracing_stop; tracing_close. Those
 * that return int return enum status and have logged what went wrong; then only tracing_close may follow.
 */
#include "heap/gc_model.h"
#include "record/launch.h"
#include "record/selection.h"
#include "system/signals.h"

struct tracing_options {
	struct selection_options target;
	double duration_s; /* 0: until the target ends */
	u64 sample_bytes;
	bool wait_children; /* COMMAND's end does not end the tracing; that of its last descendant does */
	bool alloc_only, no_new, show_allocator, residency;
	bool regions; /* --mappings */
	bool small;   /* --footprint small */
	struct gc_options gc;
	double max_overhead_percent; /* of the CPU time of what is traced (trace/budget.h); 0: no limit */
	bool counts_alone; /* the client wants samples alone: no lifetimes (recorder.h), ledgers, sums of what has ended, or totals in lists */
};

/* Bytes of what files say of names that may stay in memory from one profile to the next, see symbolizer_trim. */
size_t tracing_symbols_max(const struct tracing_options *options);

struct tracing {
	const struct tracing_options *options;
	struct tracer *tracer; /* NULL before tracing_load */
	struct launch launch;
	struct selection selection;
	struct signals signals;
	u64 start_ns, start_unix_ns; /* the same moment, when attaching began */
	u64 duration_ns;	     /* from then to tracing_stop */
	bool reads_go;		     /* set before tracing_load: Go programs' own profiles are wanted */
	bool awaited;		     /* set by the client: somebody waits for it, so the next drain comes soon */
	/* its own */
	u64 looked_ns, said_ns, ticked_ns, drained_ns;
	bool over;
	bool command_ended; /* and its descendants have been looked at */
	bool blind;	    /* the probes are gone */
};

/* What tracing_watch calls, by the thread that empties the ring: it should not take long. */
struct tracing_client {
	/* Every event up to `now` has been taken in. True: end the tracing. */
	bool (*drained)(struct tracing *tracing, u64 now, void *arg);
	void (*second)(struct tracing *tracing, u64 now, void *arg); /* one has passed; or NULL */
	int wake_fd; /* while it is readable, events are not waited for; -1: none */
	void *arg;
};

/* Find what the options name. */
int tracing_open(const struct tracing_options *options, struct tracing *ret_tracing);

/* Take the signals, and start COMMAND if there is one: it waits. Before threads and maps are made, which it must not inherit. */
int tracing_launch(struct tracing *tracing);

/* Load the programs. */
int tracing_load(struct tracing *tracing);

/* Attach to the target, let COMMAND go, and say what is traced. The calling thread goes before others from here on. */
int tracing_attach(struct tracing *tracing);

/* Empty the ring until the target, the duration, a signal or the client ends it. */
void tracing_watch(struct tracing *tracing, const struct tracing_client *client);

/* Advance the models' clocks to `now`, up to which every event has been taken in. Done once a second by tracing_watch. */
void tracing_tick(struct tracing *tracing, u64 now);

/* Stop tracing, remove the probes, settle the ledgers. The calling thread gets its priority back. */
void tracing_stop(struct tracing *tracing);

/* Free everything, the probes first if they are still there; then wait for COMMAND if it runs. Returns the status to exit with, when the client's is `status`. */
int tracing_close(struct tracing *tracing, int status);
