/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The room trace/ owns everything that needs a kernel: the BPF programs and their maps, the links that probe allocators, ring
 * and side-band. It alone includes libbpf and the skeletons. It fills the recorder, and knows nothing of files and formats.
 *
 * In reading order: feature_text.h (what a kernel must have), feature.h (trying it), attach_method.h (choosing a way
 * of attaching), bpf_object.h and bpf_maps.h (programs and maps), attach.h and uprobe_link.h (links), sideband.h,
 * raw_stacks.h, settle.h, overhead.h and windows.h; then this header, and tracer_internal.h with the tracer's parts.
 *
 * The tracer is all of it together: it loads the programs for the best way of attaching that works, attaches to processes
 * (attach_process.h), follows their forks, execs and mappings, drains ring and side-band, and settles the ledgers. What goes
 * wrong is logged, and returned as enum status.
 */
#include <sys/types.h>

#include "base/status.h"
#include "heap/recorder.h"
#include "trace/bpf_object.h"
#include "trace/settle.h"

struct binaries;
struct tracer;

struct tracer_options {
	struct kernel_options kernel;  /* but `kind`, which is found by trying */
	u64 inject_bytes;	       /* processes that run get the sampler, with this interval; 0: they do not */
	bool no_new;		       /* leave operator new alone */
	bool harm_translators;	       /* probe what would end programs under translators */
	double max_overhead_percent;   /* see budget.h; 0: no limit */
	bool wide;		       /* one unfiltered link per file serves all processes */
	bool reads_go;		       /* read the profiles that Go programs keep of themselves (go_reader.h) */
	struct settle_sources sources; /* outlive it */
	struct gc_options gc;
	bool counts_alone;		/* the same */
	bool residency;			/* of the recorder */
	struct custom_allocator *pools; /* of --alloc */
	struct binaries *binaries; /* the files of a program to attach to, taken over also on error; NULL: unknown */
};

int tracer_open(const struct tracer_options *options, struct tracer **ret_tracer);
void tracer_close(struct tracer *tracer);

/*
 * From here on processes that join the population are traced from their first call; `group` is that of POPULATION_CGROUP,
 * else NULL. Call it before attach_processes, so that none is missed in between.
 */
void tracer_populate(struct tracer *tracer, const struct group *group);

/*
 * Is there something to be done in COMMAND before it runs (python_tables.h)? Then call the other one at its first steps, as
 * system/first_steps.h has it; `arg` is the tracer.
 */
bool tracer_wants_start(const struct tracer *tracer);
int tracer_look_at_start(pid_t pid, void *arg);

/*
 * Becomes readable when the programs force a wake-up, as the ring fills or a process begins, and when the side-band fills; drain after
 * pace_rest_ms() (pace.h) all the same.
 */
int tracer_fd(const struct tracer *tracer);

/* Take in what has happened. True when all of it has been taken in, false when there is more. */
bool tracer_drain(struct tracer *tracer);

/*
 * A moment, and how far the programs had written into the ring then. A ring that is filled as fast as it is emptied always has more; but
 * after a drain that got so far, everything that happened before the moment has been taken in.
 */
struct tracer_moment {
	u64 time_ns, written;
};
struct tracer_moment tracer_moment(const struct tracer *tracer); /* now */
bool tracer_is_past(const struct tracer *tracer, const struct tracer_moment *moment);

/* Note how much memory the processes hold now: once they are gone it cannot be asked. */
void tracer_look(struct tracer *tracer);

/* Read the profiles that Go programs keep of themselves as they are now. */
void tracer_read_go(struct tracer *tracer);

unsigned int tracer_alive(const struct tracer *tracer); /* processes whose end has not been taken in */

/* Processes that the kernel has not seen end, as far as they have been taken in; the first `max` of them into `pids`. */
unsigned int tracer_living(const struct tracer *tracer, pid_t *pids, unsigned int max);

/* What a malloc and a free together cost a process that probes serve, in nanoseconds. */
double tracer_pair_ns(const struct tracer *tracer);

/* Say which files that --alloc names are not mapped, and of which files functions are not probed. */
void tracer_say_files(struct tracer *tracer);

/* Say, once each, which processes attached to have not called their allocation functions at all. */
void tracer_warn_silent(struct tracer *tracer);

/* Has the process that holds the links been killed (link_keeper.h)? Nothing is seen from then on. */
bool tracer_is_blind(void);

/*
 * Say, once each, what cannot be seen: files that processes map and heaptap cannot open. True when, for want of
 * descriptors or memory, or since a probe failed, allocations may be missing: that recording has failed.
 */
bool tracer_say_unseen(struct tracer *tracer);

/* Stop tracing at once, remove the probes, take in what is left and settle every ledger. */
void tracer_stop(struct tracer *tracer);

/* What the programs have counted so far (bpf_object.h, bpf_maps.h). */
const struct kernel *tracer_kernel(const struct tracer *tracer);
struct recorder *tracer_recorder(const struct tracer *tracer);
const char *tracer_attach_name(const struct tracer *tracer); /* "session", "multi", "perf" */
