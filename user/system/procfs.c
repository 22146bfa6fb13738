/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading /proc/PID; used by target and tracer. Nothing is cached. */
#include "system/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "system/address_map.h"

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

char *procfs_exe(pid_t pid)
{
	char path[64], exe[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	length = readlink(path, exe, sizeof(exe) - 1);
	if (length <= 0)
		return NULL;
	exe[length] = '\0';
	mapping_cut_deleted(exe);
	return strdup(exe);
}

char *procfs_cgroup(pid_t pid)
{
	char path[64], lines[8192], *line, *save;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (read_small(path, lines, sizeof(lines)) <= 0)
		return NULL;
	for (line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, "0::", 3))
			return strdup(line + 3);
	return NULL;
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

int procfs_for_each_mapping(pid_t pid, int (*each)(struct mapping *mapping, void *arg), void *arg)
{
	pid_t tid = procfs_live_thread(pid);
	char path[64], *line = NULL;
	size_t capacity = 0;
	FILE *maps;
	int ret = 0;

	if (!tid)
		return -ESRCH;
	/* Of a main thread that has exited the maps are empty; /proc/TID names any thread. */
	snprintf(path, sizeof(path), "/proc/%d/maps", tid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (!ret && getline(&line, &capacity, maps) > 0) {
		struct mapping mapping;

		line[strcspn(line, "\n")] = '\0';
		if (mapping_parse(line, &mapping))
			continue;
		ret = each(&mapping, arg);
		free(mapping.path);
	}
	free(line);
	fclose(maps);
	return ret;
}

/*
 * Keeping the device of overlay and btrfs files apart is beyond st_dev: inode and, later, build id decide there. The side-band
 * tells a build id instead of an inode: then the caller compares that.
 */
static bool same_file(int fd, const struct mapping *mapping)
{
	struct stat stat;

	if (fstat(fd, &stat) || !S_ISREG(stat.st_mode))
		return false;
	if (!mapping->inode)
		return mapping->build_id_size;
	return stat.st_ino == mapping->inode && (stat.st_dev == mapping->device || !mapping->device);
}

/* Of a mapping that was told of some time ago: is another file at its addresses by now? Without an inode nobody knows. */
static bool is_replaced(int fd, const struct mapping *mapping)
{
	struct stat stat;

	return mapping->from_ns && mapping->inode && !fstat(fd, &stat) && stat.st_ino != mapping->inode;
}

static int open_by_name(pid_t tid, const struct mapping *mapping)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "/proc/%d/root%s", tid, mapping->path) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (!same_file(fd, mapping)) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

int procfs_open_name(pid_t pid, const struct mapping *mapping)
{
	pid_t tid = procfs_live_thread(pid);

	return tid ? open_by_name(tid, mapping) : -ESRCH;
}

int procfs_open_mapping(pid_t pid, const struct mapping *mapping)
{
	pid_t tid = procfs_live_thread(pid);
	char path[PATH_MAX];
	int fd;

	if (!tid)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", tid, (unsigned long long)mapping->start,
		 (unsigned long long)mapping->end);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno != EPERM && errno != ENOENT)
		return -errno;
	if (fd >= 0 && !is_replaced(fd, mapping))
		return fd;
	if (fd >= 0)
		close(fd);
	return open_by_name(tid, mapping);
}
