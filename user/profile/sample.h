/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILE_SAMPLE_H
#define PROFILE_SAMPLE_H
/* The samples of a profile as a whole: one for each (stack, size), and where their stacks begin. */
#include "profile/profile.h"

/* Stacks that differed before may be the same now: make their samples of one size one, as estimates need it. */
void samples_merge(struct profile *profile);

/*
 * Let stacks begin in the program, not in what its language puts before malloc (operator new, __rust_alloc and their
 * like, inlined or not); but never take a whole stack. The profile must have its names.
 */
void samples_hide_allocator(struct profile *profile);

#endif
