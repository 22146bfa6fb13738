/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A directory in memory, of one fuzzer, and its files, which are written anew for every input. It goes away with the fuzzer. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "include/types.h"

static char scratch_path[] = "/dev/shm/heaptap-fuzz-XXXXXX";
static pid_t scratch_owner;

static int scratch_remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)flag, (void)walk;
	return remove(path);
}

static void scratch_remove(void)
{
	if (scratch_owner == getpid())
		nftw(scratch_path, scratch_remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Its path. */
static inline const char *scratch(void)
{
	if (scratch_owner)
		return scratch_path;
	if (!mkdtemp(scratch_path) || chmod(scratch_path, 0755) || atexit(scratch_remove))
		abort();
	scratch_owner = getpid();
	return scratch_path;
}

/* Write the file of that name, a path from the directory on, whose folders are made. */
static inline void scratch_write(const char *name, const void *data, size_t size)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", scratch(), name);
	for (char *slash = strchr(path + strlen(scratch_path) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			abort();
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}
