/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYSTEM_OVERCOMMIT_H
#define SYSTEM_OVERCOMMIT_H
/* Below which size C++'s operator new is not expected to fail, and so to throw. */
#include "include/types.h"

/*
 * In bytes: 1 GiB; less where the cgroup's memory limit leaves less room (`limit` and `used` as of cgroup_memory); 0
 * where the kernel does not overcommit. The limits of the process itself are looked at with every call, by the programs.
 */
u32 overcommit_new_max(u64 limit, u64 used);

#endif
