/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A control group with a limit on memory, for a process started through group_wrapper. group_remove takes it away. */
#include <stdint.h>

#include "group.h"

/*
 * Of the memory controller, whichever version has it here; `path` is not set. Fails the running cmocka test where there is none,
 * with a sentence. Only for processes that stay in it: the scope of a recording is a group of version 2.
 */
void memory_group_make(struct group *group, uint64_t limit_bytes);
