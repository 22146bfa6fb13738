/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/dwarf_scope.h"

#include <dwarf.h>

bool dwarf_is_scope(int tag)
{
	return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block || tag == DW_TAG_subprogram ||
	       tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

/* As dwarf_haspc, but each range is paid for: entries may share a long list of them. What is between two is short (range_lists.h). */
static bool holds(Dwarf_Die *die, u64 vaddr, u64 *budget)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;

	while (*budget && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		--*budget;
		if (vaddr >= low && vaddr < high)
			return true;
	}
	return false;
}

/* The scope directly inside *scope that holds vaddr: true and *scope moved there, or false. *budget is not 0. */
static bool enter_scope(Dwarf_Die *scope, u64 vaddr, u64 *budget)
{
	Dwarf_Die die;

	if (dwarf_child(scope, &die))
		return false;
	do {
		--*budget;
		if (dwarf_is_scope(dwarf_tag(&die)) && holds(&die, vaddr, budget)) {
			*scope = die;
			return true;
		}
	} while (*budget && !dwarf_siblingof(&die, &die));
	return false;
}

unsigned int dwarf_scope_chain(Dwarf_Die *function, u64 vaddr, u64 budget, Dwarf_Die chain[INLINE_DEPTH_MAX + 1])
{
	unsigned int count = 1, depth = 0;
	Dwarf_Die scope = *function;

	chain[0] = scope;
	while (depth++ < 4 * SCOPE_DEPTH_MAX && count <= INLINE_DEPTH_MAX && budget &&
	       enter_scope(&scope, vaddr, &budget)) {
		int tag = dwarf_tag(&scope);

		if (tag == DW_TAG_subprogram) /* a function defined inside a function has code and a frame of its own */
			count = 0;
		if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine)
			chain[count++] = scope;
	}
	return count;
}
