/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * From probes to samplers that have been brought into a process (inline/running_sampler.h), of all its allocators' files at the same moment:
 * each call before that is the probes', each one after it the samplers'.
 */
#include "include/types.h"

struct injection_turn;
struct running_sampler;
struct stopped_threads;

/*
 * Have the functions of all files jump to theirs; `turn` is what changes besides (system/injection.h). 0 or what injection_patch fails with;
 * *ret_stopped_ns: for how long all threads were stopped.
 */
int sampler_start_all(struct running_sampler *const *samplers, u32 count, const struct injection_turn *turn,
		      u64 *ret_stopped_ns);

/*
 * For the turn: does no thread stand between where a function is probed and where it jumps, nor will one return there from a signal handler?
 * Its call would be counted twice, or not at all. 0; -EAGAIN: one does; or another error of parked_threads_move.
 */
int sampler_start_check(struct running_sampler *const *samplers, u32 count, struct stopped_threads *threads);
