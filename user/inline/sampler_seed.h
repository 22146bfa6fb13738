/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a sampler that has been brought into a process is told before it is started: the objects that have been sampled already, in another way, so
 * that it tells of their ends.
 *
 * Functions return 0; -ENOSPC: it has no room for them; -ENOMEM; -ENOEXEC: the process executes another program; or another error of
 * reading.
 */
#include <stddef.h>

#include "inline/object_table.h"

struct running_sampler;

struct sampler_seed {
	struct object_table table;
	int memory; /* of the process */
	u64 header; /* of the sampler's image */
};

/* May be repeated with another seed: what one before has told is gone. Release in any case. */
int sampler_seed_begin(struct sampler_seed *seed, const struct running_sampler *sampler, const u64 *objects,
		       size_t count);
void sampler_seed_release(struct sampler_seed *seed);

/* One more; one less. */
int sampler_seed_add(struct sampler_seed *seed, u64 object);
int sampler_seed_remove(struct sampler_seed *seed, u64 object);
