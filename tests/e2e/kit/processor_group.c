/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "processor_group.h"

#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "child.h"

bool processor_group_make(struct group *group)
{
	group_make_controlled(group, "cpu");
	return group_put(group, "cpu.max", "100000 1000000") ||
	       (group_put(group, "cpu.cfs_period_us", "1000000") && group_put(group, "cpu.cfs_quota_us", "100000"));
}

void processor_group_add(const struct group *group, pid_t pid)
{
	assert_true(group_put(group, "cgroup.procs", format("%d", pid)));
}

void processor_group_drop(const struct group *group, pid_t pid)
{
	struct group above = {0};

	snprintf(above.dir, sizeof(above.dir), "%s", dirname((char *)format("%s", group->dir)));
	processor_group_add(&above, pid);
}
