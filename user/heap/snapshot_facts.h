/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a profile says of its image besides samples: who, when, how much memory, the model's numbers, the ledger, the cost. */
#include "heap/recorder.h"

/* What the model of a collector makes of a heap. */
void snapshot_facts_copy_model(const struct gc_model *gc, u64 now_ns, struct profile_model *model);

/* Who it is. 0 or -ENOMEM. */
int snapshot_facts_copy_names(const struct image *image, struct profile *profile);

/* All of them, as of `now_ns`, or of the image's end. 0 or -ENOMEM. */
int snapshot_facts_copy(const struct recorder_options *options, struct image *image, u64 now_ns,
			struct profile *profile);
