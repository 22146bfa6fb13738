/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/directory.h"
#include "base/text.h"
#include "system/cgroup_mounts.h"
#include "system/procfs.h"
#include "system/shortage.h"

#define NEW_MAX (1u << 30)

/* Directories yet to be visited. A queue, since recursion would hold a descriptor for each level. */
struct queue {
	char **paths;
	size_t count, next;
};

/* Takes over `path`; NULL: there was no memory for it. */
static int queue_add(struct queue *queue, char *path)
{
	if (!path || array_grow(&queue->paths, queue->count, 1)) {
		free(path);
		return -ENOMEM;
	}
	queue->paths[queue->count++] = path;
	return 0;
}

static int queue_add_below(struct queue *queue, const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (entry = directory_next(dir, &err))) {
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
		if (ret && !shortage_is(ret) && queue.next)
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

/* Reading may end early: the group was removed, or it is threaded and its processes are listed further up. */
static int for_each_in(const char *directory, void *arg)
{
	struct process_walk *walk = arg;
	char path[PATH_MAX];
	int pid, ret = 0;
	FILE *pids = fopen(text_path(path, "%s/cgroup.procs", directory), "re");

	if (!pids)
		return shortage_is(-errno) ? -errno : 0;
	errno = 0;
	while (!ret && fscanf(pids, "%d", &pid) == 1) {
		if (pid > 0)
			ret = walk->each(pid, walk->arg);
		else
			walk->hidden++;
	}
	if (!ret && ferror(pids) && shortage_is(-errno))
		ret = -errno;
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

u64 cgroup_id(const char *directory)
{
	struct stat stat_buffer;

	/* kernfs gives a directory the number of its group. */
	return stat(directory, &stat_buffer) || !S_ISDIR(stat_buffer.st_mode) ? 0 : stat_buffer.st_ino;
}

int cgroup_open(const struct cgroup_mounts *mounts, const char *path, struct cgroup *ret_group)
{
	struct cgroup group = {.path = strdup(*path ? path : "/"), .directory = cgroup_mounts_directory(mounts, path)};

	group.id = group.path && group.directory ? cgroup_id(group.directory) : 0;
	if (!group.id) {
		cgroup_release(&group);
		return -ENOENT;
	}
	for (const char *c = cgroup_mounts_below(mounts->v2.top, strcmp(path, "/") ? path : ""); *c; c++)
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

/* --- memory --- */

/* False: not there, or "max". */
static bool read_bytes(const char *root, const char *path, const char *name, u64 *ret_bytes)
{
	char file[PATH_MAX], text[64], *end;
	unsigned long long bytes;

	if (procfs_read(text_path(file, "%s%s/%s", root, path, name), text, sizeof(text)) <= 0)
		return false;
	bytes = strtoull(text, &end, 10);
	if (end == text)
		return false;
	*ret_bytes = bytes;
	return true;
}

/* Version 1 writes "no limit" as the largest number of bytes that is whole pages. */
static bool read_group(const char *root, const char *group, u64 *ret_limit, u64 *ret_used)
{
	return (read_bytes(root, group, "memory.max", ret_limit) &&
		read_bytes(root, group, "memory.current", ret_used)) ||
	       (read_bytes(root, group, "memory.limit_in_bytes", ret_limit) && *ret_limit < 1ULL << 62 &&
		read_bytes(root, group, "memory.usage_in_bytes", ret_used));
}

/* What the kernel gives up before it kills: files in memory. With version 1 those of groups below are in the rows total_. */
static u64 read_cache(const char *root, const char *group)
{
	char file[PATH_MAX], name[64];
	unsigned long long bytes, active = 0, inactive = 0;
	FILE *in = fopen(text_path(file, "%s%s/memory.stat", root, group), "re");

	while (in && fscanf(in, "%63s %llu", name, &bytes) == 2) {
		const char *row = strncmp(name, "total_", 6) ? name : name + 6;

		if (!strcmp(row, "active_file"))
			active = bytes;
		else if (!strcmp(row, "inactive_file"))
			inactive = bytes;
	}
	if (in)
		fclose(in);
	return active + inactive;
}

static u64 room(u64 limit, u64 used)
{
	return used < limit ? limit - used : 0;
}

static void find_least_room(const char *root, const char *path, bool with_cache, u64 *ret_limit, u64 *ret_used)
{
	char *group = path && (*path == '/' || !*path) && !strstr(path, "/..") ? strdup(path) : NULL, *slash;

	*ret_limit = *ret_used = 0;
	while (group) {
		u64 limit, used, cache;

		if (read_group(root, group, &limit, &used)) {
			cache = with_cache ? 0 : read_cache(root, group);
			used -= cache < used ? cache : used;
			if (!*ret_limit || room(limit, used) < room(*ret_limit, *ret_used)) {
				*ret_limit = limit;
				*ret_used = used;
			}
		}
		slash = strrchr(group, '/');
		/* The top last: in a control group namespace that is a container's own, with a limit. */
		if (!slash)
			break;
		*slash = '\0';
	}
	free(group);
}

void cgroup_memory(const char *root, const char *path, u64 *ret_limit, u64 *ret_used)
{
	find_least_room(root, path, true, ret_limit, ret_used);
}

void cgroup_memory_needed(const char *root, const char *path, u64 *ret_limit, u64 *ret_used)
{
	find_least_room(root, path, false, ret_limit, ret_used);
}

static bool never_overcommits(void)
{
	char policy[8];

	return procfs_read("/proc/sys/vm/overcommit_memory", policy, sizeof(policy)) <= 0 || policy[0] == '2';
}

u32 cgroup_memory_new_max(u64 limit, u64 used)
{
	if (never_overcommits() || (limit && used >= limit))
		return 0;
	return limit && limit - used < NEW_MAX ? (u32)(limit - used) : NEW_MAX;
}
