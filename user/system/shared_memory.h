/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Processes that run in the memory of another one: children of vfork, and of clone with CLONE_VM. They are no threads of it. */
#include <sys/types.h>

#include "include/types.h"

/* Is `pid` such a child, or has it one? True also where that cannot be told. A child whose parent has ended is not found. */
bool shared_memory_has_others(pid_t pid);
