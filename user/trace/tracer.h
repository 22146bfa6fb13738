/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRACE_TRACER_H
#define TRACE_TRACER_H
/*
 * Everything between the kernel and the recorder: loads the programs on the best rung this kernel has, attaches to
 * processes, follows their execs and mappings, drains ring and side-band, and settles the accounts. Says what goes
 * wrong (log.h) and returns enum status.
 */
#include <sys/types.h>

#include "trace/settle.h"
#include "base/status.h"
#include "heap/recorder.h"
#include "trace/tracee.h"

/* In memory at a time: 715 MiB of them where each stack has 25 frames (bench/limit.sh). */
#define TRACER_SITES_MAX (1u << 20)

struct symbolizer;
struct tracer;

struct tracer_options {
	u64 sample_bytes;
	bool alloc_only, no_new, show_allocator;
	unsigned int processes; /* to be traced, for sizing */
	bool wide;		/* one unfiltered link per file serves all processes */
	enum population population;
	const char *comm; /* of a population, only such processes: NULL, any */
	dev_t exe_device; /* likewise, the file they run; inode 0: any */
	ino_t exe_inode;
	struct settle_sources sources; /* outlive it */
	struct gc_options gc;
	const struct custom_allocator *pools; /* of --alloc */
	struct binaries *binaries; /* the files of a program to attach to, taken over whatever happens; NULL: unknown */
};

int tracer_open(const struct tracer_options *options, struct tracer **ret_tracer);
void tracer_close(struct tracer *tracer);

/* Trace a running process. STATUS_DONE, STATUS_NO_TARGET, STATUS_UNSUPPORTED or STATUS_FAILED, the reason said. */
int tracer_attach(struct tracer *tracer, pid_t pid);

/*
 * Trace those of the processes that there is something to trace in: of a population, who has gone meanwhile, or is the
 * kernel's own, is no error. How many those are. STATUS_DONE, or as tracer_attach.
 */
int tracer_attach_all(struct tracer *tracer, const pid_t *pids, unsigned int count, unsigned int *ret_attached);

/*
 * From here on whoever joins the population is traced from its first call; `group` is that of POPULATION_CGROUP, else
 * NULL. Before tracer_attach_all, so that nobody gets lost in between.
 */
void tracer_populate(struct tracer *tracer, const struct group *group);
u32 tracer_group_made(const struct tracer *tracer); /* how often the group was removed and made again */

/* Trace process `pid`, a child that waits before its exec of `path`, from that exec on. */
int tracer_attach_program(struct tracer *tracer, pid_t pid, const char *path);

/* Becomes readable when the ring fills up; drain at least every TRACER_DRAIN_MS all the same. */
#define TRACER_DRAIN_MS 20
int tracer_fd(const struct tracer *tracer);

/* Take in what has happened. True when everything there was has been taken in, false when there is more. */
bool tracer_drain(struct tracer *tracer);

/* Note how much memory the processes hold now, for want of a way to ask when they are gone. */
void tracer_look(struct tracer *tracer);

/*
 * Close files that nobody maps any longer, see close_unused_files. Not while another thread has profiles or images of the
 * recorder. `symbolizer`: where they were named, NULL: nowhere.
 */
void tracer_sweep(struct tracer *tracer, struct symbolizer *symbolizer);

unsigned int tracer_alive(const struct tracer *tracer); /* processes that have not ended */

bool tracer_traces(const struct tracer *tracer, pid_t pid);

/* Processes that were not traced, because tracer_processes_max() were at once. */
u64 tracer_refused(const struct tracer *tracer);

/* Processes that were traced, but came and went while the ring was full: nothing of them is known. */
u64 tracer_unheard(const struct tracer *tracer);
unsigned int tracer_processes_max(const struct tracer *tracer);

/* Files under unfiltered links: whoever else maps them pays tracer_pair_ns() for each malloc and free. */
const struct tracee_file *tracer_wide_files(const struct tracer *tracer);
const struct tracee_file *tracer_throwing_files(const struct tracer *tracer); /* only at functions that throw */
double tracer_pair_ns(const struct tracer *tracer);

/* Processes attached to whose allocation functions have not been called at all: says so, once each. */
void tracer_warn_silent(struct tracer *tracer);

/* Stop tracing at once, remove the probes, take in what is left and settle every ledger. */
void tracer_stop(struct tracer *tracer);

/* Add to ledger[] what the programs have counted of a traced image so far, and leave it to them. 0 or -ENOMEM. */
int tracer_peek_tally(const struct tracer *tracer, u32 process, u64 ledger[COUNTER_MAX]);

struct recorder *tracer_recorder(const struct tracer *tracer);
const char *tracer_attach_name(const struct tracer *tracer); /* "session", "multi", "perf" */

#endif
