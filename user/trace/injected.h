/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Processes that have the sampler brought into their memory (inline/running_sampler.h), with links at its sites, which are not filtered:
 * the file in memory is the process's own, and its forked children's. These share it, as they have its jumps.
 */
#include "include/types.h"
#include "inline/running_sampler.h"
#include "probe/plan.h"

struct binary;
struct image;
struct tracee;
struct tracer;

struct injected_file {
	struct binary *file;
	struct running_sampler sampler;
	struct plan plan; /* the file's, with the sampler's sites */
	struct attach *attach;
	struct injected_file *next;
};

struct injected {
	pid_t pid; /* of the process that it was brought into */
	u32 users; /* it, and children of it */
	u64 since_ns; /* all of its functions have had the jumps since, and so have children forked later; 0: they have none yet */
	struct injected_file *files;
};

/* What is to be done with it once it is there, or if it cannot be brought in at the moment. */
enum injected_load {
	INJECTED_LOAD_AND_START,
	INJECTED_LOAD,	     /* all files start together; what fails has failed for good */
	INJECTED_LOAD_AGAIN, /* the same; what may pass is asked for again */
};

/* How long a process that cannot be had at the moment is asked again. Its threads stand still while one is waited for in vain. */
struct patience {
	pid_t pid;
	u64 until_ns;
	u32 tries;
	u32 stops_in_vain;
	u32 stops_without_processor;
};

struct patience injected_be_patient(pid_t pid);

/* Wait a little, or until the process has had a processor (at most a second), if what failed with `err` may pass. */
bool injected_try_again(struct patience *patience, int err);

/*
 * For one file; its other files may have probes, where those are filtered. 0; -ECANCELED: it cannot be, which is said, and probes
 * are to do it; or a shortage (system/shortage.h).
 */
int injected_open(struct tracer *tracer, struct tracee *tracee, const struct image *image, struct binary *file);

/*
 * Bring it into the process for all files that it maps, or for none; nothing leads there yet (trace/handover.h). The same results. Close it
 * if it is not to be started. With INJECTED_LOAD_AGAIN also -EBUSY: it cannot be at the moment (a thread did not stop in time, ...), which is
 * not said.
 */
int injected_load_all(struct tracer *tracer, pid_t pid, const struct image *image, enum injected_load load,
		      struct injected **ret_injected);

/* Say that it has it, and how long that took; or why it has not. */
void injected_say_stops(const struct injected *injected);
void injected_say_refused(pid_t pid, const struct binary *file, const char *reason);

/*
 * A child has been forked (`parent` NULL: it is not known by whom), with all that its parent had then. False: that was not all, nothing is left of it,
 * and unfiltered links are to serve the child.
 */
bool injected_inherit(struct tracer *tracer, struct tracee *tracee, const struct tracee *parent, u64 forked_ns);

/* It has executed another program, which the sampler was not put into: what is told of the one before does not hold of this. */
void injected_executed(const struct tracer *tracer, struct tracee *tracee);

bool injected_has(const struct tracee *tracee, const struct binary *file);

/* No links but those at the sampler's sites serve it. */
bool injected_has_all(const struct tracee *tracee);

/* Give this process's functions back what they were, and leave it to unfiltered links, which it has not yet. */
void injected_leave(struct tracer *tracer, struct tracee *tracee);

/* The process needs it no longer. When none does, take it out of all that have it. *injected becomes NULL. */
void injected_close(struct injected **injected);
