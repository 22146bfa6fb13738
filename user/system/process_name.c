/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/process_name.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "system/procfs.h"

#define COMM_MAX 15 /* letters that the kernel keeps of a name */

static bool is_named(pid_t pid, const char *name)
{
	const char *slash;
	char comm[16], *exe;
	bool same;

	if (!procfs_comm(pid, comm) && !strncmp(comm, name, COMM_MAX))
		return procfs_live_thread(pid);
	exe = procfs_exe(pid);
	slash = exe ? strrchr(exe, '/') : NULL;
	same = slash && !strcmp(slash + 1, name);
	free(exe);
	return same && procfs_live_thread(pid);
}

struct process_size {
	pid_t pid;
	u64 bytes;
};

static int compare_sizes(const void *one, const void *other)
{
	const struct process_size *a = one, *b = other;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static int sort_by_size(struct pid_list *list)
{
	struct process_size *sizes = calloc(list->count + 1UL, sizeof(*sizes));

	if (!sizes)
		return -ENOMEM;
	for (unsigned int i = 0; i < list->count; i++)
		sizes[i] = (struct process_size){list->pids[i], procfs_rss_bytes(list->pids[i])};
	qsort(sizes, list->count, sizeof(*sizes), compare_sizes);
	for (unsigned int i = 0; i < list->count; i++)
		list->pids[i] = sizes[i].pid;
	free(sizes);
	return 0;
}

int process_name_find(const char *name, struct pid_list *ret_list)
{
	unsigned int kept = 0;
	int err = pid_list_all(ret_list);

	if (err)
		return err;
	for (unsigned int i = 0; i < ret_list->count; i++)
		if (is_named(ret_list->pids[i], name))
			ret_list->pids[kept++] = ret_list->pids[i];
	ret_list->count = kept;
	err = sort_by_size(ret_list);
	if (err)
		pid_list_release(ret_list);
	return err;
}
