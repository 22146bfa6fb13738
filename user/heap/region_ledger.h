/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What of an image's ledger is about its regions. The kernel counts how stacks end whoever they are of. Each region's stack says how it ended,
 * so the two can be told apart: what a heap's ledger and that of its regions have together is what was counted. The stack of a call that was
 * lost (mapping_lost) is not known, and what was counted of it stays in the heap's.
 */
#include "heap/image.h"

/* mapping_*, and stack_* of the regions' stacks. */
void region_ledger_of(const struct image *image, u64 ret_ledger[COUNTER_MAX]);

/* Take from `ledger`, a copy of the image's, the stack_* of regions. */
void region_ledger_leave_out(const struct image *image, u64 ledger[COUNTER_MAX]);
