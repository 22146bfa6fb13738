/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The sampler in a process that runs: its code is mapped from a file of heaptap's in memory, near the allocator's file, and the allocator's
 * functions jump there:
 *
 *   fast paths | pages of the sampler's image (include/sampler.h) | data, not in the file: the sampler's
 *
 * All functions of a file or none.
 */
#include "inline/sampler_config.h"
#include "system/injection.h"

struct mapping;

struct running_sampler {
	char reason[SAMPLER_REASON_MAX]; /* why the process, or the file, cannot have it; empty: it can */
	bool adopted;			 /* an earlier heaptap, which was killed, had left it there */
	int err;			 /* what the reason comes from (injection_may_pass) */
	pid_t pid;
	int file;		  /* in memory; heaptap's lock on it tells another heaptap that there is one */
	u64 sites[SAMPLER_SITES]; /* file offsets in it */
	u64 config;		  /* likewise, of struct sampler_config */
	u64 address;		  /* in the process, of the file's first byte */
	struct injection_patch *patches;
	u32 patch_count;
	u64 one_stopped_ns, all_stopped_ns; /* for how long a thread was, and then all were */
};

/*
 * Bring the sampler into the process, or take over what an earlier heaptap, which was killed, has left there. Nothing leads to it
 * yet. `mapping` is one of the allocator's file, whose `elf` and `plan` are given. 0,
 * whether it can be or not; -ENOMEM, or another negative errno. Release in any case.
 */
int running_sampler_load(pid_t pid, const struct mapping *mapping, struct elf *elf, const struct plan *plan,
			 const struct sampler_settings *settings, struct running_sampler *ret_sampler);

/* Have the functions jump to it: samples are taken from now on. False: they do not, for the reason that is told. */
bool running_sampler_start(struct running_sampler *sampler);

/* Give the functions of one process that has it back what they were: it or a child. 0, or what injection_undo fails with. */
int running_sampler_leave(const struct running_sampler *sampler, pid_t pid);

/*
 * Take no more samples, and give the functions back what they were, in children too. 0, also if the process has ended or executed another
 * program; or what injection_undo fails with: then it may be repeated; or a shortage (system/shortage.h): a child may have been missed.
 */
int running_sampler_stop(struct running_sampler *sampler);

/* The memory stays in the process, as a thread may be in it. */
void running_sampler_release(struct running_sampler *sampler);
