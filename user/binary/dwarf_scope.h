/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Which scopes inside a function hold an address: what is inlined there. */
#include <elfutils/libdw.h>

#include "binary/dwarf.h"

#define SCOPE_DEPTH_MAX 64

/* May an entry of that tag have others of code inside it? */
bool dwarf_is_scope(int tag);

/*
 * The physical function at chain[0] and what is inlined below it at `vaddr`, outermost first; how many those are. `budget`, which is
 * not 0: how many entries, and ranges of them, may be looked at; what lies behind is not found.
 */
unsigned int dwarf_scope_chain(Dwarf_Die *function, u64 vaddr, u64 budget, Dwarf_Die chain[INLINE_DEPTH_MAX + 1]);
