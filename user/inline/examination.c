/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/examination.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inline/process_image.h"
#include "inline/sampler_mapping.h"

/* Those of a recording change nothing about whether it can be. */
static const struct sampler_settings any = {.sample_bytes = 1 << 19, .memory_bytes = 1 << 30};

static void refuse(char ret_reason[SAMPLER_REASON_MAX], int err)
{
	if (err)
		snprintf(ret_reason, SAMPLER_REASON_MAX, "%s", injection_refusal(err));
}

/* What is in the place of the file's code. What a killed heaptap has left is taken over. */
static void explain(pid_t pid, char ret_reason[SAMPLER_REASON_MAX])
{
	enum sampler_mapping_state state;
	int err = sampler_mapping_look(pid, &state);

	if (sampler_mapping_denied(err))
		snprintf(ret_reason, SAMPLER_REASON_MAX, "%s", sampler_mapping_denied(err));
	else if (err)
		snprintf(ret_reason, SAMPLER_REASON_MAX,
			 "its code is not its file's, and whether another heaptap has changed it cannot be told: %s",
			 strerror(-err));
	else if (state == SAMPLER_MAPPING_TAKEN)
		snprintf(ret_reason, SAMPLER_REASON_MAX, SAMPLER_MAPPING_HELD);
	else if (state == SAMPLER_MAPPING_NONE)
		refuse(ret_reason, -EILSEQ);
}

static int compare(pid_t pid, const struct process_image *image, char ret_reason[SAMPLER_REASON_MAX])
{
	struct injection_patch *jumps;
	u32 count;
	int err = process_image_jumps(image, &jumps, &count), found = err ? 0 : injection_compare(pid, jumps, count);

	free(jumps);
	if (found == -EILSEQ)
		explain(pid, ret_reason);
	else
		refuse(ret_reason, found);
	return err;
}

static int examine(pid_t pid, struct process_image *image, char ret_reason[SAMPLER_REASON_MAX])
{
	const struct injection_image place = {
		.bytes = image->bytes,
		.data_bytes = process_image_data_bytes(&any),
		.near = image->near,
		.near_end = image->near_end,
	};
	u64 address;
	int err = injection_examine(pid, &place, &address);

	if (err) {
		refuse(ret_reason, err);
		return err == -EBUSY ? err : 0;
	}
	err = process_image_fill(image, address, ret_reason);
	return err || *ret_reason ? err : compare(pid, image, ret_reason);
}

int examination_make(pid_t pid, const struct mapping *mapping, struct elf *elf, const struct plan *plan,
		     char ret_reason[SAMPLER_REASON_MAX])
{
	struct process_image *image = calloc(1, sizeof(*image));
	int err;

	if (!image)
		return -ENOMEM;
	*image = (struct process_image){.elf = elf, .plan = plan, .settings = &any};
	err = process_image_begin(image, mapping, ret_reason);
	if (!err && !*ret_reason)
		err = examine(pid, image, ret_reason);
	process_image_release(image);
	free(image);
	return err;
}
