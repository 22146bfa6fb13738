/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What sites' live objects cost in memory, as a table for people. */
#include <stdio.h>

#include "format/table_view.h"
#include "profile/profile.h"

/*
 * The sites with most resident bytes: in use, resident, and of what is in use the shares that are resident, swapped, untouched
 * (never written to, or given back to the kernel) and all zero. Nothing where no object was looked at.
 */
void table_residency_print(const struct profile *profile, const struct table_view *view, FILE *out);
