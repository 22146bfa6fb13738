/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/shared_memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/directory.h"
#include "system/procfs.h"

static bool shares(pid_t tid, pid_t other)
{
	long order = syscall(SYS_kcmp, tid, other, KCMP_VM, 0, 0);

	return order == 0 || (order < 0 && errno != ESRCH);
}

/* `live`: any thread of the process that has not ended, as those that have share what no living one has. */
static bool shares_any(pid_t live, const char *children)
{
	bool found = false;
	char *end;

	for (long child = strtol(children, &end, 10); end != children && !found; child = strtol(children, &end, 10)) {
		found = shares(live, (pid_t)child);
		children = end;
	}
	return found;
}

/* All threads may stand still meanwhile. The kernel cuts no number in two. */
static bool thread_has_others(pid_t pid, pid_t tid, pid_t live)
{
	char path[64], children[4096];
	bool found = false;
	ssize_t size = 1;
	int file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, tid);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return !procfs_has_ended(tid);
	while (size > 0 && !found) {
		size = read(file, children, sizeof(children) - 1);
		children[size > 0 ? size : 0] = '\0';
		found = size < 0 ? !procfs_has_ended(tid) : shares_any(live, children);
	}
	close(file);
	return found;
}

bool shared_memory_has_others(pid_t pid)
{
	char path[32];
	const struct dirent *entry;
	pid_t live = procfs_live_thread(pid), parent = procfs_parent(pid);
	bool found = live && parent && shares(live, parent);
	int err = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	if (!directory)
		return live;
	while (live && !found && (entry = directory_next(directory, &err))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		found = tid && thread_has_others(pid, tid, live);
	}
	closedir(directory);
	return found || err;
}
