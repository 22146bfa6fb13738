/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory_group.h"

#include <inttypes.h>

#include "child.h"

bool memory_group_make(struct group *group, uint64_t limit_bytes)
{
	const char *limit = format("%" PRIu64, limit_bytes);
	bool limited;

	group_make_controlled(group, "memory");
	limited = group_put(group, "memory.max", limit) || group_put(group, "memory.limit_in_bytes", limit);
	/* Else a machine with swap puts there what is beyond the limit. Where swap is not counted, there are no such files. */
	group_put(group, "memory.swap.max", "0");
	group_put(group, "memory.memsw.limit_in_bytes", limit);
	return limited;
}
