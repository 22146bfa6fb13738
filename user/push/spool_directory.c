/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/spool_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/directory.h"
#include "push/spool_file.h"

#define NAMES_MAX  (1 << 20)
#define NUMBER_MAX (1ull << 62) /* no run of heaptap comes so far */
#define STORE	   "store"

static int check_directory(int dir)
{
	struct stat status;

	if (fstat(dir, &status))
		return -errno;
	if (status.st_uid != geteuid() || status.st_mode & 022)
		return -EPERM;
	return flock(dir, LOCK_EX | LOCK_NB) ? -errno : 0;
}

int spool_directory_open(const char *path)
{
	int dir, err;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	err = check_directory(dir);
	if (!err)
		return dir;
	close(dir);
	return err;
}

int spool_directory_list(int dir, u64 **ret_numbers, u64 *ret_count)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	u64 number;

	if (!stream) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (!err && (entry = directory_next(stream, &err))) {
		if (!spool_file_number(entry->d_name, &number) || number > NUMBER_MAX)
			continue;
		err = *ret_count == NAMES_MAX ? -E2BIG : array_grow(ret_numbers, *ret_count, 1);
		if (!err)
			(*ret_numbers)[(*ret_count)++] = number;
	}
	closedir(stream);
	return err;
}

int spool_directory_write_store(int dir, const char *store)
{
	int fd = openat(dir, STORE, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, store, strlen(store)) != (ssize_t)strlen(store) || fdatasync(fd))
		err = errno ? -errno : -EIO;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

void spool_directory_read_store(int dir, char store[SPOOL_STORE_MAX])
{
	int fd = openat(dir, STORE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, store, SPOOL_STORE_MAX - 1);

	store[length > 0 ? length : 0] = '\0';
	if (fd >= 0)
		close(fd);
}
