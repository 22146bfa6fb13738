/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/group_memory.h"

#include <stdlib.h>
#include <string.h>

static struct cgroup_usage read_of_process(const struct cgroup_mounts *mounts, pid_t pid)
{
	struct cgroup_usage usage = {0};
	char *directory, *path;

	if (cgroup_mounts_memory(mounts, pid, &directory, &path))
		return usage;
	/* The top is the whole machine's. */
	if (*path && strcmp(path, "/") != 0)
		usage = cgroup_usage_read(directory, path);
	free(directory);
	free(path);
	return usage;
}

struct cgroup_usage group_memory_read(const struct selection *selection)
{
	struct cgroup_usage usage = {0};
	struct pid_list list = {0};
	unsigned int hidden;

	if (!selection->group.directory)
		return usage;
	usage = cgroup_usage_read(selection->group.directory, "");
	if (usage.known)
		return usage;
	if (!pid_list_group(&selection->group, &list, &hidden) && list.count)
		usage = read_of_process(&selection->mounts, list.pids[0]);
	pid_list_release(&list);
	return usage;
}
