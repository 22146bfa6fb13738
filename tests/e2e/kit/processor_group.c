/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "processor_group.h"

#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "system/procfs.h"

#define STANDS_US 50000 /* longer than it waits for others that run */

bool processor_group_make(struct group *group, unsigned int us)
{
	group_make_controlled(group, "cpu");
	return group_put(group, "cpu.max", format("%u 1000000", us)) ||
	       (group_put(group, "cpu.cfs_period_us", "1000000") &&
		group_put(group, "cpu.cfs_quota_us", format("%u", us)));
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

static bool stands(pid_t pid)
{
	u64 had_ns = procfs_cpu_ns(pid);

	usleep(STANDS_US);
	return procfs_cpu_ns(pid) == had_ns;
}

void processor_group_await_end(pid_t pid)
{
	/* A second that has begun before it came to the group may soon be over. */
	while (!stands(pid))
		;
	while (stands(pid))
		;
	while (!stands(pid))
		;
}
