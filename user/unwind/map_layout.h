/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What is where in an image at one moment: its mappings, which overlap where newer ones outdate older ones, as rows that
 * do not, ascending. */
#include "include/unwind.h"

struct elf;
struct address_map;

struct map_layout {
	struct unwind_mapping *rows; /* table and flags are 0 */
	struct elf **files;	     /* of each row; NULL: none */
	u32 count;
};

/* As the mappings are at `now_ns`. 0 or -ENOMEM; *ret_layout is to be released either way. */
int map_layout_make(const struct address_map *mappings, u64 now_ns, struct map_layout *ret_layout);
void map_layout_release(struct map_layout *layout);
