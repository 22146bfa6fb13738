/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Walking a stack that was sent raw, by the same rules as the programs in the kernel. */
#include <sys/types.h>

#include "include/event.h"
#include "unwind/tables.h"

/*
 * Walk one raw stack through `mappings`: return addresses into ip[STACK_DEPTH_MAX], leaf first, cut if there are more. Returns how it ended;
 * UNWIND_NO_TABLE when a table is not ready. *ret_frame_pointer: code without a rule was passed by its frame pointer.
 * Code that is in no file is looked at in the memory of process `pid` (0: in none): it is taken to be what it was when the stack was.
 */
enum unwind_end walk_raw(struct unwind_tables *tables, const struct address_map *mappings, pid_t pid,
			 const struct event_raw *event, u64 *ip, u32 *ret_depth, bool *ret_frame_pointer);
