/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding and mapping what a shim has written. */
#include "call_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static int open_newest(const char *prefix, pid_t pid)
{
	char name[PATH_MAX];
	int newest = -ENOENT;

	for (unsigned int n = 1;; n++) {
		int fd;

		snprintf(name, sizeof(name), "%s.%d.%u", prefix, pid, n);
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return newest;
		if (newest >= 0)
			close(newest);
		newest = fd;
	}
}

static int map(int fd, size_t size, const void **ret_bytes)
{
	void *bytes;

	if (fd < 0)
		return fd;
	bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return -errno;
	*ret_bytes = bytes;
	return 0;
}

int call_log_map(const char *prefix, pid_t pid, size_t size, const void **ret_bytes)
{
	return map(open_newest(prefix, pid), size, ret_bytes);
}

int call_log_map_file(const char *path, size_t size, const void **ret_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return map(fd < 0 ? -errno : fd, size, ret_bytes);
}
