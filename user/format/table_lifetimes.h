/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How long objects live, as a table for people, at most 120 columns wide. */
#include <stdio.h>

#include "profile/profile.h"

/*
 * Sites with in-use, bytes allocated a second, survival of one cycle and of `tenure`, median life, growth, verdict and
 * samples: those that grow first, then by in-use, `top` at most. Below the table: a sentence for each growing site,
 * and the cost of the process under a collector. Where nothing is known, one sentence says so instead.
 */
void table_lifetimes_print(const struct profile *profile, unsigned int top, FILE *out);

/* The number of sites that grow; 0 if there is no memory to tell. */
u32 table_lifetimes_growing(const struct profile *profile);
