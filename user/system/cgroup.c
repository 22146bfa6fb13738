/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A group by its path, the groups and processes in it. Called by container and the tracer. */
#include "system/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "system/cgroup_mounts.h"

/* Directories yet to be looked at. A queue, since descending would hold one descriptor for each level. */
struct queue {
	char **paths;
	size_t count, capacity, next;
};

static int queue_add(struct queue *queue, char *path)
{
	if (path && queue->count == queue->capacity) {
		size_t capacity = queue->capacity ? 2 * queue->capacity : 64;
		char **grown = realloc(queue->paths, capacity * sizeof(*grown));

		if (grown) {
			queue->paths = grown;
			queue->capacity = capacity;
		}
	}
	if (!path || queue->count == queue->capacity) {
		free(path);
		return -ENOMEM;
	}
	queue->paths[queue->count++] = path;
	return 0;
}

static int queue_add_below(struct queue *queue, const char *directory)
{
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	dir = opendir(directory);
	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		char *path;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		err = queue_add(queue, asprintf(&path, "%s/%s", directory, entry->d_name) < 0 ? NULL : path);
	}
	closedir(dir);
	return err;
}

int cgroup_for_each_below(const char *directory, int (*each)(const char *directory, void *arg), void *arg)
{
	struct queue queue = {0};
	int ret = queue_add(&queue, strdup(directory));

	while (!ret && queue.next < queue.count) {
		ret = queue_add_below(&queue, queue.paths[queue.next]);
		/* A group below may be gone by now; the first must be there. */
		if (ret && ret != -ENOMEM && queue.next)
			ret = 0;
		else if (!ret)
			ret = each(queue.paths[queue.next], arg);
		queue.next++;
	}
	for (size_t i = 0; i < queue.count; i++)
		free(queue.paths[i]);
	free(queue.paths);
	return ret;
}

struct process_walk {
	int (*each)(pid_t pid, void *arg);
	void *arg;
	unsigned int hidden;
};

/* Reading may end early: the group was removed, or its processes are told of further up (it is a threaded one). */
static int for_each_in(const char *directory, void *arg)
{
	struct process_walk *walk = arg;
	char *path;
	int pid, ret = 0;
	FILE *pids;

	if (asprintf(&path, "%s/cgroup.procs", directory) < 0)
		return -ENOMEM;
	pids = fopen(path, "re");
	free(path);
	if (!pids)
		return 0;
	while (!ret && fscanf(pids, "%d", &pid) == 1) {
		if (pid > 0)
			ret = walk->each(pid, walk->arg);
		else
			walk->hidden++;
	}
	fclose(pids);
	return ret;
}

int cgroup_for_each_process(const char *directory, int (*each)(pid_t pid, void *arg), void *arg,
			    unsigned int *ret_hidden)
{
	struct process_walk walk = {.each = each, .arg = arg};
	int ret = cgroup_for_each_below(directory, for_each_in, &walk);

	if (ret_hidden)
		*ret_hidden = walk.hidden;
	return ret;
}

static bool is_directory(const char *path, ino_t *ret_inode)
{
	struct stat stat_buffer;

	if (stat(path, &stat_buffer) || !S_ISDIR(stat_buffer.st_mode))
		return false;
	*ret_inode = stat_buffer.st_ino;
	return true;
}

int cgroup_open(const struct cgroup_mounts *hierarchy, const char *path, struct cgroup *ret_group)
{
	struct cgroup group = {.path = strdup(*path ? path : "/"),
			       .directory = cgroup_mounts_directory(hierarchy, path)};
	ino_t inode;

	if (!group.path || !group.directory || !is_directory(group.directory, &inode)) {
		cgroup_release(&group);
		return -ENOENT;
	}
	/* kernfs gives a directory the number of its group. */
	group.id = inode;
	for (const char *c = cgroup_mounts_below(hierarchy->v2.top, strcmp(path, "/") ? path : ""); *c; c++)
		group.level += *c == '/';
	*ret_group = group;
	return 0;
}

void cgroup_release(struct cgroup *group)
{
	free(group->path);
	free(group->directory);
	*group = (struct cgroup){0};
}

static int stop_at_once(pid_t pid, void *arg)
{
	(void)pid;
	(void)arg;
	return 1;
}

int cgroup_check(const struct cgroup *group)
{
	unsigned int hidden;
	int ret = cgroup_for_each_process(group->directory, stop_at_once, NULL, &hidden);

	if (ret < 0)
		return ret;
	return ret || hidden ? 0 : -ENODATA;
}
