/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which rows of an array shared with the programs are taken. Rows given back rest for a second before they are handed
 * out again, since a program may be reading them still: it learnt of them before they were given back, and is done
 * within far less than that unless its thread is kept from running.
 */
#include "include/types.h"

#define EXTENT_REST_NS 1000000000ULL

struct extent;

struct extent *extent_new(u32 count); /* rows 0 .. count - 1, all free; NULL: no memory */
void extent_free(struct extent *extent);

/* `count` rows in a row, from *ret_first on. 0, -ENOSPC or -ENOMEM. */
int extent_take(struct extent *extent, u32 count, u64 now_ns, u32 *ret_first);

/* Give back what extent_take handed out, all of it; `first` is what it returned. */
void extent_give(struct extent *extent, u32 first, u64 now_ns);
