/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/mapped_by.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/text.h"
#include "system/address_map.h"
#include "system/proc_maps.h"

struct scan {
	struct mapped_by_file *files;
	unsigned int file_count;
	bool *mapped;		   /* by the process being looked at: it may map a file twice */
	unsigned int mapped_count; /* how many of them are */
};

struct mapped_by_file mapped_by_file(int fd, const char *path)
{
	struct statfs filesystem;
	struct stat stat;

	if (fstat(fd, &stat) || fstatfs(fd, &filesystem))
		return (struct mapped_by_file){0}; /* nobody maps inode 0 as a file */
	return (struct mapped_by_file){
		.device = stat.st_dev,
		.inode = stat.st_ino,
		.path = filesystem.f_type == TMPFS_MAGIC ? NULL : path,
	};
}

static bool is_same(const struct mapped_by_file *file, const struct mapping *mapping)
{
	if (mapping->inode != file->inode)
		return false;
	if (mapping->device == file->device)
		return true;
	return !major(mapping->device) && !major(file->device) && file->path && !strcmp(mapping->path, file->path);
}

/* Stops the reading when the process maps all of them. */
static int look_at(struct mapping *mapping, void *arg)
{
	struct scan *scan = arg;

	for (unsigned int i = 0; i < scan->file_count; i++) {
		if (scan->mapped[i] || !is_same(&scan->files[i], mapping))
			continue;
		scan->mapped[i] = true;
		scan->mapped_count++;
		scan->files[i].processes++;
	}
	return scan->mapped_count == scan->file_count;
}

/* Kernel threads have no mappings, and one that has gone has none. 0, or negative errno: they are not known. */
static int scan_process(struct scan *scan, const char *root, const char *pid)
{
	char path[PATH_MAX];
	int ret;

	memset(scan->mapped, 0, scan->file_count * sizeof(*scan->mapped));
	scan->mapped_count = 0;
	ret = proc_maps_read(text_path(path, "%s/proc/%s/maps", root, pid), look_at, scan);
	return ret > 0 || ret == -ENOENT || ret == -ESRCH ? 0 : ret;
}

static int scan_all(struct scan *scan, DIR *proc, const char *root, bool (*is_ours)(pid_t pid, void *arg), void *arg,
		    struct mapped_by_count *count)
{
	const struct dirent *entry;
	int err = 0;

	while (!err && (entry = directory_next(proc, &err))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || pid == getpid() || is_ours(pid, arg))
			continue;
		err = scan_process(scan, root, entry->d_name);
		if (err == -EACCES || err == -EPERM) {
			count->unread++;
			err = 0;
		} else if (!err) {
			count->processes += scan->mapped_count > 0;
		}
	}
	return err;
}

int mapped_by_count(const char *root, struct mapped_by_file *files, unsigned int file_count,
		    bool (*is_ours)(pid_t pid, void *arg), void *arg, struct mapped_by_count *ret_count)
{
	struct scan scan = {.files = files, .file_count = file_count};
	struct mapped_by_count count = {0};
	char path[PATH_MAX];
	DIR *proc = opendir(text_path(path, "%s/proc", root));
	int err;

	if (!proc)
		return -errno;
	for (unsigned int i = 0; i < file_count; i++)
		files[i].processes = 0;
	scan.mapped = calloc(file_count ? file_count : 1, sizeof(*scan.mapped));
	err = scan.mapped ? scan_all(&scan, proc, root, is_ours, arg, &count) : -ENOMEM;
	closedir(proc);
	free(scan.mapped);
	if (!err)
		*ret_count = count;
	return err;
}
