/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/sampler_start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inline/running_sampler.h"
#include "system/parked_threads.h"

static u32 count_patches(struct running_sampler *const *samplers, u32 count)
{
	u32 patch_count = 0;

	for (u32 i = 0; i < count; i++)
		patch_count += samplers[i]->patch_count;
	return patch_count;
}

int sampler_start_all(struct running_sampler *const *samplers, u32 count, const struct injection_turn *turn,
		      u64 *ret_stopped_ns)
{
	struct injection_patch *patches = calloc(count_patches(samplers, count) + 1, sizeof(*patches));
	u32 patch_count = 0;
	int err;

	if (!patches)
		return -ENOMEM;
	for (u32 i = 0; i < count; i++) {
		memcpy(&patches[patch_count], samplers[i]->patches, samplers[i]->patch_count * sizeof(*patches));
		patch_count += samplers[i]->patch_count;
	}
	err = injection_patch(samplers[0]->pid, patches, patch_count, turn, ret_stopped_ns);
	free(patches);
	return err;
}

/* From the jump on to where the function is probed. */
static struct injection_patch way_between(const struct injection_patch *patch)
{
	u64 last = patch->address + patch->size - 1;

	last = patch->probe > last ? patch->probe : last;
	/* All but the first byte of a patch count. */
	return (struct injection_patch){.address = patch->address - 1, .jump_size = (u32)(last - patch->address + 2)};
}

int sampler_start_check(struct running_sampler *const *samplers, u32 count, struct stopped_threads *threads)
{
	struct injection_patch *ways = calloc(count_patches(samplers, count) + 1, sizeof(*ways));
	u32 way_count = 0;
	int err;

	if (!ways)
		return -ENOMEM;
	for (u32 i = 0; i < count; i++)
		for (u32 k = 0; k < samplers[i]->patch_count; k++)
			ways[way_count++] = way_between(&samplers[i]->patches[k]);
	err = parked_threads_move(threads, ways, way_count);
	free(ways);
	return err;
}
