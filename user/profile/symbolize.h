/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Names for a profile's addresses, and stacks that begin in the program. */
#include "profile/profile.h"

struct symbolizer;

/*
 * Fill lines of all locations and has_* of all mappings; code outside all files gets its name from the process's perf
 * map. Stacks begin in the program then, unless show_allocator. 0 or -ENOMEM.
 */
int profile_symbolize(struct profile *profile, struct symbolizer *symbolizer);

/*
 * Let stacks begin in the program, not in what its language puts before malloc (operator new, __rust_alloc and their
 * like, inlined or not); but never take a whole stack. The profile must have its names. 0 or -ENOMEM.
 */
int symbolize_hide_allocator(struct profile *profile);
