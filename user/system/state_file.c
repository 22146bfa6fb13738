/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/state_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int state_file_for_each(void (*each)(const char *directory, const char *name, void *arg), void *arg, const char *format,
			...)
{
	char path[PATH_MAX];
	struct dirent *entry;
	va_list args;
	int length;
	DIR *dir;

	va_start(args, format);
	length = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (length >= (int)sizeof(path))
		return -ENAMETOOLONG;
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			each(path, entry->d_name, arg);
	closedir(dir);
	return 0;
}

/* No more than fstat said: the file may grow meanwhile. */
static int parse(int fd, cJSON **ret_json)
{
	struct stat stat;
	size_t length = 0;
	ssize_t got;
	char *text;

	if (fstat(fd, &stat))
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return -EINVAL;
	if (stat.st_size > STATE_FILE_BYTES_MAX)
		return -EFBIG;
	text = malloc((size_t)stat.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (length < (size_t)stat.st_size && (got = read(fd, text + length, (size_t)stat.st_size - length)) > 0)
		length += (size_t)got;
	*ret_json = cJSON_ParseWithLength(text, length);
	free(text);
	return *ret_json ? 0 : -EBADMSG;
}

int state_file_read(cJSON **ret_json, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	int length, fd, err;

	va_start(args, format);
	length = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (length >= (int)sizeof(path))
		return -ENAMETOOLONG;
	/* Opening a pipe or a terminal must neither wait nor have an effect. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	err = parse(fd, ret_json);
	close(fd);
	return err;
}
