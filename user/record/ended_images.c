/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From recorder to aggregate; the hook's functions run in the thread of a batch. Used by publish. */
#include "record/ended_images.h"

#include <errno.h>

static int retire_all(void *arg)
{
	struct ended_images *retirement = arg;
	int first_err = 0, err;

	while (retirement->processes) {
		struct image *image = retirement->processes;

		retirement->processes = image->ended_next;
		err = aggregate_add(retirement->aggregate, image, image->end_ns);
		first_err = first_err ? first_err : err;
		image_free(image);
	}
	return first_err;
}

static int add_living(void *arg, const struct profile *profile)
{
	struct ended_images *retirement = arg;

	return retirement->interim ? aggregate_interim_add(retirement->interim, profile) : 0;
}

static int write_merged(void *arg, unsigned int seq)
{
	struct ended_images *retirement = arg;

	return retirement->interim ? aggregate_interim_write(retirement->interim, seq) : 0;
}

void ended_images_take(struct ended_images *retirement, struct aggregate *aggregate, struct recorder *recorder,
		       bool all)
{
	struct image **last = &retirement->processes, *process;

	*retirement = (struct ended_images){
		.aggregate = aggregate,
		.hook = {.first = retire_all, .each = add_living, .last = write_merged, .arg = retirement},
	};
	while ((all || retirement->count < ENDED_IMAGES_MAX) && (process = recorder_take_ended(recorder))) {
		*last = process;
		last = &process->ended_next;
		retirement->count++;
		retirement->samples += process->heap.alloc_count;
	}
}

int ended_images_with_merged(struct ended_images *retirement)
{
	retirement->interim = aggregate_interim_new(retirement->aggregate);
	return retirement->interim ? 0 : -ENOMEM;
}

/* What no thread has come to is counted in here. */
void ended_images_release(struct ended_images *retirement)
{
	if (retirement->aggregate)
		retire_all(retirement);
	aggregate_interim_free(retirement->interim);
	*retirement = (struct ended_images){0};
}
