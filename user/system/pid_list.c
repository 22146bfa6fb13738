/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/pid_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/directory.h"
#include "system/cgroup.h"
#include "system/procfs.h"

static int add(pid_t pid, void *arg)
{
	struct pid_list *list = arg;

	if (pid == getpid())
		return 0;
	if (array_grow(&list->pids, list->count, 1))
		return -ENOMEM;
	list->pids[list->count++] = pid;
	return 0;
}

static int finish(struct pid_list *list, int err)
{
	if (err)
		pid_list_release(list);
	return err;
}

int pid_list_all(struct pid_list *ret_list)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	int err = 0;

	*ret_list = (struct pid_list){0};
	if (!dir)
		return -errno;
	while (!err && (entry = directory_next(dir, &err))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0)
			err = add(pid, ret_list);
	}
	closedir(dir);
	return finish(ret_list, err);
}

static bool has(const struct pid_list *list, pid_t pid)
{
	for (unsigned int i = 0; i < list->count; i++)
		if (list->pids[i] == pid)
			return true;
	return false;
}

int pid_list_family(const pid_t *pids, unsigned int count, struct pid_list *ret_list)
{
	struct pid_list all;
	unsigned int before;
	int err = pid_list_all(&all);

	*ret_list = (struct pid_list){0};
	for (unsigned int i = 0; i < count && !err; i++)
		err = add(pids[i], ret_list);
	/* Each round adds one generation. */
	do {
		before = ret_list->count;
		for (unsigned int i = 0; i < all.count && !err; i++)
			if (!has(ret_list, all.pids[i]) && has(ret_list, procfs_parent(all.pids[i])))
				err = add(all.pids[i], ret_list);
	} while (!err && ret_list->count > before);
	pid_list_release(&all);
	return finish(ret_list, err);
}

int pid_list_group(const struct cgroup *group, struct pid_list *ret_list, unsigned int *ret_hidden)
{
	*ret_list = (struct pid_list){0};
	return finish(ret_list, cgroup_for_each_process(group->directory, add, ret_list, ret_hidden));
}

void pid_list_release(struct pid_list *list)
{
	free(list->pids);
	*list = (struct pid_list){0};
}
