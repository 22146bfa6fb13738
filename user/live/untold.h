/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What nobody is told of: allocations of processes that ended, and were dropped since many others ended as well, between two answers to one
 * who adds up what is allocated from each to the next (source_want.adds_up).
 */
#include "heap/image.h"
#include "live/source.h"

/* The image is in such an answer, with all that it has allocated by now. */
void untold_tell(struct image *image);

/* Has it allocated anything since then, so that the next answer should have it? */
bool untold_remains(const struct image *image);

/* It is dropped: add what it has allocated since then. */
void untold_add(struct source_untold *untold, const struct image *image);
