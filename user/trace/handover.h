/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A process goes over from its probes to the sampler in its memory (trace/injected.h), for all files that it maps or for none: when it is
 * attached to, and later, when it has begun or executed another program meanwhile. Each call is counted by one of the two, and objects that
 * the probes have sampled are told of by the sampler: at that moment no sampled call is under way, all events up to it have been taken in, and
 * no thread stands between a probe and a jump. It is asked for again until it comes.
 */
#include <stdbool.h>
#include <sys/types.h>

struct image;
struct tracee;
struct tracer;

/* Begin with a process that is being attached to. 0; -ECANCELED: probes are to do it, for good or until handover_look; or a shortage (system/shortage.h). */
int handover_begin(struct tracer *tracer, struct tracee *tracee, const struct image *image);

/* Those that have been sampled by probes for a second; once a second each. `drain` takes in all events. */
void handover_look(struct tracer *tracer, bool (*drain)(struct tracer *tracer));
