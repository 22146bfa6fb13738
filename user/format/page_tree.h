/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A call tree as columns of numbers, one for each node. */
#include "format/page_functions.h"
#include "view/call_tree.h"

/* "function", "line", "parent", "gathered", in the object that is open. 0 or -ENOMEM. */
int page_tree_write(const struct call_tree *tree, struct page_functions *functions, struct json *json);

/* An object of that name, with those and "self", its "variance" and "samples" (without children). 0 or -ENOMEM. */
int page_tree_write_whole(const char *name, const struct call_tree *tree, struct page_functions *functions,
			  struct json *json);

/* [[four measures], ...] */
void page_tree_write_values(const char *name, u64 (*values)[MEASURE_MAX], u32 count, struct json *json);
void page_tree_write_measures(const char *name, const u64 values[MEASURE_MAX], struct json *json);
