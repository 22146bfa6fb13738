/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The files in memory by which processes have the sampler (running_sampler.h), as they map them. The heaptap that made one holds a lock on it
 * as long as it lives.
 */
#include <stdbool.h>
#include <sys/types.h>

struct mapping;

#define SAMPLER_MAPPING_FILE "heaptap" /* for memfd_create */
#define SAMPLER_MAPPING_HELD "another heaptap samples it"

/* By its name, also when the process has ended. */
bool sampler_mapping_is(const struct mapping *mapping);

/* Why one that is there may not be opened, by what sampler_mapping_open fails with; NULL: that is no want of a capability. */
const char *sampler_mapping_denied(int err);

/* A descriptor of the file behind a mapping, to read and to write; -ENOENT: it is not such a file, or another negative errno. */
int sampler_mapping_open(pid_t pid, const struct mapping *mapping);

/* Take the lock. 0; -EBUSY: a heaptap that lives has it, or another negative errno. */
int sampler_mapping_lock(int file);

/* Does the process map the file? 1, 0 or negative errno. */
int sampler_mapping_has(pid_t pid, int file);

/* Those that a process has. */
enum sampler_mapping_state {
	SAMPLER_MAPPING_NONE,
	SAMPLER_MAPPING_LEFT, /* one at least that no heaptap holds any longer */
	SAMPLER_MAPPING_TAKEN /* one at least, and all are held */
};

/* 0, or negative errno: the process or a mapping could not be looked at, and *ret_state is SAMPLER_MAPPING_NONE. */
int sampler_mapping_look(pid_t pid, enum sampler_mapping_state *ret_state);
