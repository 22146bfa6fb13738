/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The difference between two profiles, as a table for people. */
#include <stdio.h>

#include "format/table_view.h"
#include "profile/profile.h"

/*
 * Totals and the sites whose bytes in use have changed most: by how much, and what was allocated and freed
 * meanwhile; by what was allocated, and nothing else, where one of the two is of --alloc-only. Sites are matched by function, file and line, or by code offset where these are unknown, so that the
 * profiles may be of different runs. 0 or -ENOMEM.
 */
int table_diff_print(const struct profile *before, const struct profile *after, const struct table_view *view,
		     FILE *out);
