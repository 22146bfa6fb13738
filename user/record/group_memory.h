/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The memory that the kernel charges to the group that is recorded, beside what its processes have. */
#include "record/selection.h"
#include "system/cgroup_usage.h"

/*
 * As it is now. Where groups of version 2 have no memory controller: of the version 1 group of one of its processes, which is where a
 * container's runtime puts them all. Unknown where no group is recorded, or it is empty there.
 */
struct cgroup_usage group_memory_read(const struct selection *selection);
