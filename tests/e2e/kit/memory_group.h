/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A control group with a limit on memory, for a process started through group_wrapper. group_remove takes it away. */
#include <stdbool.h>
#include <stdint.h>

#include "group.h"

/*
 * A group of the memory controller, whichever version has it here; `path` is not set. False: there is none, so the group has no limit.
 * Only for processes that stay in it: the scope of a recording is a group of version 2.
 */
bool memory_group_make(struct group *group, uint64_t limit_bytes);
