/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/output_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/directory.h"
#include "format/output_file.h"

/* 0, -ENOTEMPTY, or why it cannot be told. */
static int check_empty(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (entry = directory_next(dir, &err)))
		err = strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") ? -ENOTEMPTY : 0;
	closedir(dir);
	return err;
}

static int choose_path(const char *path, struct output_dir *ret)
{
	time_t now = time(NULL);
	struct tm utc;

	ret->fd = -1;
	ret->made = false;
	if (!path)
		strftime(ret->path, sizeof(ret->path), "heaptap-%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	else if (snprintf(ret->path, sizeof(ret->path), "%s", path) >= (int)sizeof(ret->path))
		return -ENAMETOOLONG;
	return 0;
}

int output_dir_check(const char *path, bool force, struct output_dir *ret)
{
	char copy[PATH_MAX];
	struct stat status;
	int err = choose_path(path, ret);

	if (err)
		return err;
	if (stat(ret->path, &status))
		return errno != ENOENT || access(dirname(strcpy(copy, ret->path)), W_OK | X_OK) ? -errno : 0;
	if (!S_ISDIR(status.st_mode))
		return -ENOTDIR;
	err = force ? 0 : check_empty(ret->path);
	if (err)
		return err;
	return access(ret->path, W_OK | X_OK) ? -errno : 0;
}

int output_dir_open(const char *path, bool force, mode_t file_mode, struct output_dir *ret)
{
	mode_t mode = output_file_directory_mode(file_mode);
	int err = choose_path(path, ret);

	if (err)
		return err;
	ret->made = !mkdir(ret->path, mode & 0700);
	if (!ret->made && errno != EEXIST)
		return -errno;
	err = force ? 0 : check_empty(ret->path);
	if (err)
		return err;
	ret->fd = open(ret->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->fd < 0 || (ret->made && fchmod(ret->fd, mode)))
		return -errno;
	return access(ret->path, W_OK | X_OK) ? -errno : 0;
}

void output_dir_abandon(const struct output_dir *output)
{
	if (output->made)
		rmdir(output->path);
}

void output_dir_close(struct output_dir *output)
{
	if (output->fd >= 0)
		close(output->fd);
	output->fd = -1;
}
