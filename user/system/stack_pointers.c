/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/stack_pointers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/directory.h"
#include "base/text.h"
#include "system/procfs.h"

/* "0 0x3 0x... (six arguments) 0x7ffc... 0x7f...": the last but one. "-1 0x7ffc... 0x7f..." outside a system call. 0: it runs. */
static u64 pointer_in(char *text)
{
	char *last = strrchr(text, ' '), *before;

	if (!last)
		return 0;
	*last = '\0';
	before = strrchr(text, ' ');
	return before ? strtoull(before + 1, NULL, 16) : 0;
}

static u64 pointer_of(pid_t pid, const char *tid)
{
	char path[PATH_MAX], text[256];
	int fd = open(text_path(path, "/proc/%d/task/%s/syscall", pid, tid), O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	return pointer_in(text);
}

static int compare(const void *left, const void *right)
{
	u64 a = *(const u64 *)left, b = *(const u64 *)right;

	return a < b ? -1 : a > b;
}

int stack_pointers_read(pid_t pid, u64 **ret_pointers, u32 *ret_count)
{
	char path[PATH_MAX];
	DIR *dir = opendir(text_path(path, "/proc/%d/task", pid));
	const struct dirent *entry;
	u64 pointer;
	int err = 0;

	*ret_pointers = NULL;
	*ret_count = 0;
	if (!dir)
		return procfs_failure();
	while (!err && (entry = directory_next(dir, &err))) {
		if (*entry->d_name == '.')
			continue;
		pointer = pointer_of(pid, entry->d_name);
		if (!pointer)
			continue;
		err = array_grow(ret_pointers, *ret_count, 1);
		if (!err)
			(*ret_pointers)[(*ret_count)++] = pointer;
	}
	closedir(dir);
	if (*ret_count)
		qsort(*ret_pointers, *ret_count, sizeof(**ret_pointers), compare);
	return err;
}
