/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Samples of a profile that have become equal. */
#include "profile/profile.h"

/*
 * Stacks that differed before may be the same now: make their samples of one size and labels one, as estimates need it. It stands
 * where the first of them was; the order is kept. 0 or -ENOMEM.
 */
int profile_merge_samples(struct profile *profile);
