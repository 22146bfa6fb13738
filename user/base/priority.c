/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nice values, which Linux keeps for each thread. Called by record and interim. */
#include "base/priority.h"

#include <sys/resource.h>

#define FIRST (-20)

static int before; /* what heaptap was started with */

void thread_raise_priority(void)
{
	before = getpriority(PRIO_PROCESS, 0);
	setpriority(PRIO_PROCESS, 0, FIRST);
}

void thread_lower_priority(void)
{
	setpriority(PRIO_PROCESS, 0, before);
}
