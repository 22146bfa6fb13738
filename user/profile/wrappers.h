/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Functions that hand the size they are asked for on to an allocator, as xmalloc does, found by their code: small ones, whose
 * call gets a size that is made of their own arguments, and which hand back what the call has given them.
 */
#include "profile/profile.h"

struct symbolizer;
struct wrappers;

struct wrappers *wrappers_new(struct symbolizer *symbolizer); /* NULL: no memory */
void wrappers_free(struct wrappers *wrappers);

/*
 * Give them their role (FRAME_WRAPPER), from the leaf of each stack on as long as one calls the next; by name too, where the
 * name is known (profile/allocation_name.h). The profile must have its names, from that symbolizer, which keeps what
 * was found about a place as long as its name. 0 or -ENOMEM.
 */
int wrappers_find(struct wrappers *wrappers, struct profile *profile);

/*
 * The code of the files that were looked at is kept for the next profile, most often of the same program: a compiler's symbols
 * alone take 10 ms to read. Give it back, before any of these files is closed.
 */
void wrappers_drop(struct wrappers *wrappers);
