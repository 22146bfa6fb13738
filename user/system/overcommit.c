/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bounds memory outside a process; called by the tracer. */
#include "system/overcommit.h"

#include <stdio.h>

#define LARGEST (1u << 30)

static bool never_overcommits(void)
{
	FILE *file = fopen("/proc/sys/vm/overcommit_memory", "re");
	int policy = '2';

	if (file) {
		policy = getc(file);
		fclose(file);
	}
	return policy == '2';
}

u32 overcommit_new_max(u64 limit, u64 used)
{
	if (never_overcommits() || (limit && used >= limit))
		return 0;
	return limit && limit - used < LARGEST ? (u32)(limit - used) : LARGEST;
}
