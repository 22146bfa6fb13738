/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Lists of address ranges in .debug_ranges and .debug_rnglists. Between ranges stand entries that set their base; libdw passes over those
 * within one call, so a list of millions of them takes long, each time, and nobody can tell how far the call went.
 */
#include "include/types.h"

#define RANGE_LISTS_BASES_MAX                                                                                          \
	1024 /* compilers write one before a range; lengths and addresses that read as one make a few more */

#define RANGE_LISTS_BYTES_MAX (256UL << 20) /* to look through that many takes more than a second */

/* May more entries of bases than RANGE_LISTS_BASES_MAX follow each other, wherever a list begins? `old`: .debug_ranges, before DWARF 5. */
bool range_lists_are_slow(const u8 *bytes, u64 size, bool old);
