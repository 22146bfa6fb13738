/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* From the recorder's live tables to an immutable profile: the only place that knows both. */
#include "heap/recorder.h"

/* The image's state at `now_ns`, without names. *ret_profile is the caller's. 0 or -ENOMEM. */
int snapshot_take(const struct recorder_options *options, struct image *image, u64 now_ns, u64 start_unix_ns,
		  struct profile **ret_profile);
