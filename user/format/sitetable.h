/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SITETABLE_H
#define SITETABLE_H
/* Where a program allocates, as a table for people, at most 120 columns wide. */
#include <stdio.h>

#include "profile/profile.h"

/*
 * The `top` heaviest sites by `by`, with value, standard error, share of `total`, the sum over all sites, samples and
 * objects; with every allocation recorded bytes in full instead of error and samples. A sentence where no site has any.
 */
void sitetable_print(const struct profile *profile, enum measure by, u64 total, unsigned int top, FILE *out);

#endif
