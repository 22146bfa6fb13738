/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The links of all traced processes at once: off and on again, and those on functions that free taken out for good. Links at the sites of
 * the sampler in a process (injected.h) are none of these.
 */
#include <sys/types.h>

#include "include/types.h"

struct tracee_file;
struct tracer;

/* Make the link on that file, for process `pid` alone (0: all), under that scope. 0 or what attach_open says. */
int link_switch_open(const struct tracer *tracer, struct tracee_file *link, pid_t pid, u32 scope);

/*
 * Remove all, and make none, until they are to be on again. Calls that begin count no more at once, although the kernel takes some time to
 * remove what traps; those that were under way may return meanwhile, and count. Returns from when on none does (CLOCK_MONOTONIC).
 */
u64 link_switch_off(struct tracer *tracer);

/*
 * Make all that are known; calls count when all are there: returns since when. One that cannot be made is said, and the recording has
 * failed; of a process that has ended it does not matter.
 */
u64 link_switch_on(struct tracer *tracer);

/* Remove the probes on functions that free, for good; no call of another function is missed. */
void link_switch_end_frees(struct tracer *tracer);
