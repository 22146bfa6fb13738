/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int check(int fd)
{
	struct stat status;

	if (fstat(fd, &status))
		return -errno;
	return status.st_mode & 077 ? -EACCES : 0;
}

static int take(int fd, char *bytes, size_t room, size_t *ret_size)
{
	size_t size = 0;

	while (size < room) {
		ssize_t more = read(fd, bytes + size, room - size);

		if (more < 0)
			return -errno;
		if (!more)
			break;
		size += (size_t)more;
	}
	*ret_size = size;
	return 0;
}

int private_file_read(const char *path, char *bytes, size_t room, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err;

	if (fd < 0)
		return -errno;
	err = check(fd);
	if (!err)
		err = take(fd, bytes, room, ret_size);
	close(fd);
	return err;
}
