/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening and reading with distrust; called by runtime. */
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

int state_file_for_each(const char *directory, void (*each)(const char *directory, const char *name, void *arg),
			void *arg)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			each(directory, entry->d_name, arg);
	closedir(dir);
	return 0;
}

/* The size is asked again while reading: the file may grow. */
static int read_all(int fd, char **ret_text, size_t *ret_length)
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
	text[length] = '\0';
	*ret_text = text;
	*ret_length = length;
	return 0;
}

static int read_path(const char *format, va_list args, char **ret_text, size_t *ret_length)
{
	char path[PATH_MAX];
	int fd, err;

	if (vsnprintf(path, sizeof(path), format, args) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	/* Opening a pipe or a terminal must neither wait nor do anything. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	err = read_all(fd, ret_text, ret_length);
	close(fd);
	return err;
}

int state_file_read(cJSON **ret_json, const char *format, ...)
{
	va_list args;
	size_t length;
	cJSON *json;
	char *text;
	int err;

	va_start(args, format);
	err = read_path(format, args, &text, &length);
	va_end(args);
	if (err)
		return err;
	json = cJSON_ParseWithLength(text, length);
	free(text);
	if (!json)
		return -EBADMSG;
	*ret_json = json;
	return 0;
}

int state_file_read_pid(const char *format, ...)
{
	va_list args;
	size_t length;
	char *text;
	long pid;
	int err;

	va_start(args, format);
	err = read_path(format, args, &text, &length);
	va_end(args);
	if (err)
		return 0;
	pid = strtol(text, NULL, 10);
	free(text);
	return pid > 0 && pid <= INT_MAX ? (int)pid : 0;
}
