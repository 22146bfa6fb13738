/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Where a program allocates, as a table for people, at most 120 columns wide. */
#include <stdio.h>

#include "profile/profile.h"

/*
 * The `top` heaviest sites by `by`, with value, standard error, share of `total` (the sum over all sites), samples and
 * objects. If every allocation was recorded: exact bytes instead of error and samples. A sentence if no site has any.
 */
void table_sites_print(const struct profile *profile, enum measure by, u64 total, unsigned int top, FILE *out);
