/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/sampler_mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/address_map.h"
#include "system/proc_maps.h"

bool sampler_mapping_is(const struct mapping *mapping)
{
	return !strcmp(mapping->path, "/memfd:" SAMPLER_MAPPING_FILE);
}

const char *sampler_mapping_denied(int err)
{
	if (err == -EPERM)
		return "another heaptap's sampler is there, and to open it takes CAP_CHECKPOINT_RESTORE";
	return err == -EACCES ? "another heaptap's sampler is there, and to open it takes CAP_DAC_OVERRIDE" : NULL;
}

int sampler_mapping_open(pid_t pid, const struct mapping *mapping)
{
	char path[64];
	int file;

	if (!sampler_mapping_is(mapping))
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", pid, mapping->start, mapping->end);
	file = open(path, O_RDWR | O_CLOEXEC);
	return file < 0 ? -errno : file;
}

int sampler_mapping_lock(int file)
{
	if (!flock(file, LOCK_EX | LOCK_NB))
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

static int find_file(struct mapping *mapping, void *arg)
{
	const struct stat *file = arg;

	return mapping->inode == file->st_ino && mapping->device == file->st_dev;
}

int sampler_mapping_has(pid_t pid, int file)
{
	struct stat status;
	int found = fstat(file, &status) ? -errno : proc_maps_for_each(pid, find_file, &status);

	return found == -ESRCH ? 0 : found;
}

struct look {
	pid_t pid;
	enum sampler_mapping_state state;
};

/* Closing it gives the lock back. */
static int look_at(struct mapping *mapping, void *arg)
{
	struct look *look = arg;
	int file = sampler_mapping_open(look->pid, mapping), err;

	if (file < 0)
		return file == -ENOENT ? 0 : file;
	err = sampler_mapping_lock(file);
	close(file);
	if (err && err != -EBUSY)
		return err;
	look->state = err ? SAMPLER_MAPPING_TAKEN : SAMPLER_MAPPING_LEFT;
	return look->state == SAMPLER_MAPPING_LEFT;
}

int sampler_mapping_look(pid_t pid, enum sampler_mapping_state *ret_state)
{
	struct look look = {.pid = pid};
	int err = proc_maps_for_each(pid, look_at, &look);

	*ret_state = err < 0 ? SAMPLER_MAPPING_NONE : look.state;
	return err < 0 ? err : 0;
}
