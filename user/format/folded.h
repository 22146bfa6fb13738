/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A profile as flame graph tools read it (docs/formats.md): one line a stack, root first, "main;parse;grow 4096". Sizes
 * are merged, inlined frames are frames.
 */
#include <stdio.h>

#include "profile/profile.h"

/* Estimates of that measure, stacks without any left out. Flushed. 0 or negative errno. */
int folded_write(const struct profile *profile, FILE *out, enum measure measure);
