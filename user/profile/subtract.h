/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What happened between two profiles of the same processes, as a profile. */
#include "profile/profile.h"

/*
 * Take from `later` what `base` counts for the same stack, size and program (its pid, and which of that pid it is: the labels'
 * group, or profile->image; name and container where it has no pid): of what was allocated, and with `inuse` of
 * what is in use too, whose counts are then signed (profile->difference). Stacks are the same where their code is: by file and offset, so
 * that it does not matter how the two number and place their locations. Samples without anything left go; so do lifetimes, which are
 * not of that time. `later` then covers the time from the end of `base` to its own; all of its time if `base` is a sum
 * of no profile. 0 or -ENOMEM, when `later` is of no use.
 */
int profile_subtract(struct profile *later, const struct profile *base, bool inuse);
