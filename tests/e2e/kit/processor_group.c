/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "processor_group.h"

#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"

bool processor_group_make(struct group *group, unsigned int us, unsigned int period_us)
{
	group_make_controlled(group, "cpu");
	return group_put(group, "cpu.max", format("%u %u", us, period_us)) ||
	       (group_put(group, "cpu.cfs_period_us", format("%u", period_us)) &&
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

static unsigned long ends(const struct group *group)
{
	unsigned long count = 0;
	char name[32];
	FILE *stat = fopen(format("%s/cpu.stat", group->dir), "re");

	assert_non_null(stat);
	while (fscanf(stat, "%31s %lu", name, &count) == 2 && strcmp(name, "nr_throttled"))
		;
	fclose(stat);
	return count;
}

void processor_group_await_end(const struct group *group)
{
	unsigned long before = ends(group);
	uint64_t until = deadline_ns();

	while (ends(group) == before && now_ns() < until)
		usleep(1000);
	assert_true(ends(group) > before);
}
