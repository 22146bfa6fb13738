/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Names for the stacks of a Go program's own profile, by the tables that its runtime uses (binary/go_lines.h). */
#include "profile/profile.h"

/*
 * Go's stacks have one address for each logical frame: name each, make one location of those that are inlined into one another, and
 * unless show_allocator let stacks begin behind the runtime's functions, as Go's text format does. Without the
 * tables there are no names. 0 or -ENOMEM.
 */
int go_names_apply(struct profile *profile);
