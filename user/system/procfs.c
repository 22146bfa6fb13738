/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files of /proc/PID. Nothing is cached. */
#include "system/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DELETED_SUFFIX " (deleted)"

/* The whole of a small file, as a string; the length or negative errno. */
static ssize_t read_small(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, buffer, size - 1);
	if (length < 0)
		length = -errno;
	else
		buffer[length] = '\0';
	close(fd);
	return length;
}

/* State letter of a thread, 0 when it is gone. The command name may hold anything: look behind its last parenthesis. */
static char thread_state(pid_t pid, pid_t tid)
{
	char path[64], stat[512], *close_paren;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	if (read_small(path, stat, sizeof(stat)) <= 0)
		return 0;
	close_paren = strrchr(stat, ')');
	return close_paren && close_paren[1] == ' ' ? close_paren[2] : 0;
}

static bool runs(char state)
{
	return state && state != 'Z' && state != 'X';
}

pid_t procfs_live_thread(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	pid_t found = 0;
	DIR *dir;

	if (runs(thread_state(pid, pid)))
		return pid;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (!found && (entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0 && runs(thread_state(pid, tid)))
			found = tid;
	}
	closedir(dir);
	return found;
}

/* The number behind a key of /proc/PID/status, as "\nTgid:"; 0: unknown. */
static pid_t status_number(pid_t pid, const char *key)
{
	char path[64], status[4096];
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (read_small(path, status, sizeof(status)) <= 0)
		return 0;
	line = strstr(status, key);
	return line ? (pid_t)strtol(line + strlen(key), NULL, 10) : 0;
}

pid_t procfs_process(pid_t tid)
{
	return status_number(tid, "\nTgid:");
}

pid_t procfs_parent(pid_t pid)
{
	return status_number(pid, "\nPPid:");
}

bool procfs_maps_code(pid_t pid)
{
	char *exe = procfs_exe(pid);
	bool mapped = exe;

	free(exe);
	return mapped;
}

int procfs_comm(pid_t pid, char ret_comm[16])
{
	char path[64], comm[32] = "";
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	length = read_small(path, comm, sizeof(comm));
	if (length < 0)
		return (int)length;
	if (length && comm[length - 1] == '\n')
		comm[length - 1] = '\0';
	snprintf(ret_comm, 16, "%.15s", comm);
	return 0;
}

bool procfs_cut_deleted(char *path)
{
	size_t length = strlen(path), suffix = strlen(DELETED_SUFFIX);
	bool deleted = length > suffix && strcmp(path + length - suffix, DELETED_SUFFIX) == 0;

	if (deleted)
		path[length - suffix] = '\0';
	return deleted;
}

char *procfs_exe(pid_t pid)
{
	char path[64], exe[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	length = readlink(path, exe, sizeof(exe) - 1);
	if (length <= 0)
		return NULL;
	exe[length] = '\0';
	procfs_cut_deleted(exe);
	return strdup(exe);
}

u64 procfs_rss_bytes(pid_t pid)
{
	char path[64], statm[128];
	unsigned long long total, resident;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (read_small(path, statm, sizeof(statm)) <= 0 || sscanf(statm, "%llu %llu", &total, &resident) != 2)
		return 0;
	return resident * (u64)sysconf(_SC_PAGESIZE);
}

u64 procfs_cpu_ns(pid_t pid)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &time))
		return 0;
	return (u64)time.tv_sec * 1000000000 + (u64)time.tv_nsec;
}
