/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From recorder to census; the hook's functions run in the thread of a batch. Used by publish. */
#include "record/retire.h"

#include <errno.h>

static int retire_all(void *arg)
{
	struct retirement *retirement = arg;
	int first_err = 0, err;

	while (retirement->processes) {
		struct image *image = retirement->processes;

		retirement->processes = image->ended_next;
		err = census_add(retirement->census, image, image->end_ns);
		first_err = first_err ? first_err : err;
		image_free(image);
	}
	return first_err;
}

static int add_living(void *arg, const struct profile *profile)
{
	struct retirement *retirement = arg;

	return retirement->interim ? census_interim_add(retirement->interim, profile) : 0;
}

static int write_merged(void *arg, unsigned int seq)
{
	struct retirement *retirement = arg;

	return retirement->interim ? census_interim_write(retirement->interim, seq) : 0;
}

void retire_take(struct retirement *retirement, struct census *census, struct recorder *recorder, bool all)
{
	struct image **last = &retirement->processes, *process;

	*retirement = (struct retirement){
		.census = census,
		.hook = {.first = retire_all, .each = add_living, .last = write_merged, .arg = retirement},
	};
	while ((all || retirement->count < RETIRE_MAX) && (process = recorder_take_ended(recorder))) {
		*last = process;
		last = &process->ended_next;
		retirement->count++;
		retirement->samples += process->heap.alloc_count;
	}
}

int retire_with_merged(struct retirement *retirement)
{
	retirement->interim = census_interim_new(retirement->census);
	return retirement->interim ? 0 : -ENOMEM;
}

/* What no thread has come to is counted in here. */
void retire_release(struct retirement *retirement)
{
	if (retirement->census)
		retire_all(retirement);
	census_interim_free(retirement->interim);
	*retirement = (struct retirement){0};
}
