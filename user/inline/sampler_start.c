/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/sampler_start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inline/running_sampler.h"
#include "system/stopped_threads.h"

int sampler_start_all(struct running_sampler *const *samplers, u32 count, const struct injection_turn *turn,
		      u64 *ret_stopped_ns)
{
	struct injection_patch *patches;
	u32 patch_count = 0;
	int err;

	for (u32 i = 0; i < count; i++)
		patch_count += samplers[i]->patch_count;
	patches = calloc(patch_count + 1, sizeof(*patches));
	if (!patches)
		return -ENOMEM;
	patch_count = 0;
	for (u32 i = 0; i < count; i++) {
		memcpy(&patches[patch_count], samplers[i]->patches, samplers[i]->patch_count * sizeof(*patches));
		patch_count += samplers[i]->patch_count;
	}
	err = injection_patch(samplers[0]->pid, patches, patch_count, turn, ret_stopped_ns);
	free(patches);
	return err;
}

static bool stands_between(const struct injection_patch *patch, u64 address)
{
	u64 end = patch->address + patch->size;

	return address >= patch->address && (address < end || address <= patch->probe);
}

bool sampler_start_is_clear(const struct running_sampler *sampler, const struct stopped_threads *threads)
{
	for (u32 i = 0; i < threads->count; i++)
		for (u32 k = 0; k < sampler->patch_count && !threads->threads[i].gone; k++)
			if (stands_between(&sampler->patches[k], threads->threads[i].registers.rip))
				return false;
	return true;
}
