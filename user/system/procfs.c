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
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/text.h"
#include "system/process_status.h"
#include "system/shortage.h"

#define DELETED_SUFFIX	" (deleted)"
#define STAT_FLAGS	9
#define STAT_HEAP_START 47
#define STATE_UNKNOWN	'?'

/* Some of the flags, which the kernel keeps to itself (linux/sched.h). */
#define PF_EXITING     0x4
#define PF_IO_WORKER   0x10
#define PF_USER_WORKER 0x4000
#define PF_KTHREAD     0x200000

ssize_t procfs_read(const char *path, char *buffer, size_t size)
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

int procfs_failure(void)
{
	return errno == ENOENT ? -ESRCH : -errno;
}

/* This takes no descriptor. A process of which all threads have ended is there until its parent has asked. */
static bool is_there(pid_t tid)
{
	return !syscall(SYS_tkill, tid, 0) || errno != ESRCH;
}

/*
 * State letter of a thread, 0 when it is gone. Where there is no descriptor left to look with, '?' if it is there.
 * The command name may hold anything: look behind its last parenthesis.
 */
static char thread_state(pid_t pid, pid_t tid)
{
	char path[PATH_MAX], stat[512], *close_paren;
	ssize_t length = procfs_read(text_path(path, "/proc/%d/task/%d/stat", pid, tid), stat, sizeof(stat));

	if (shortage_is((int)length))
		return is_there(tid) ? STATE_UNKNOWN : 0;
	if (length <= 0)
		return 0;
	close_paren = strrchr(stat, ')');
	return close_paren && close_paren[1] == ' ' ? close_paren[2] : 0;
}

static bool runs(char state)
{
	return state && state != 'Z' && state != 'X';
}

bool procfs_has_ended(pid_t tid)
{
	return !runs(thread_state(tid, tid));
}

bool procfs_is_stopped(pid_t pid)
{
	return thread_state(pid, pid) == 'T';
}

char procfs_state(pid_t tid)
{
	return thread_state(tid, tid);
}

pid_t procfs_live_thread(pid_t pid)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	pid_t found = 0;
	int err = 0;
	DIR *dir;

	if (runs(thread_state(pid, pid)))
		return pid;
	dir = opendir(text_path(path, "/proc/%d/task", pid));
	if (!dir)
		return shortage_is(-errno) && is_there(pid) ? pid : 0;
	while (!found && (entry = directory_next(dir, &err))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0 && runs(thread_state(pid, tid)))
			found = tid;
	}
	closedir(dir);
	return err && is_there(pid) ? pid : found;
}

/* The number behind a key of /proc/PID/status; 0: unknown. */
static u64 status_value(pid_t pid, const char *key, int base)
{
	struct status_field field = {.key = key};

	return process_status_read(pid, &field, 1) ? 0 : strtoull(field.value, NULL, base);
}

static pid_t status_number(pid_t pid, const char *key)
{
	return (pid_t)status_value(pid, key, 10);
}

pid_t procfs_process(pid_t tid)
{
	struct status_field field = {.key = "Tgid:"};
	int err = process_status_read(tid, &field, 1);

	return shortage_is(err) ? (pid_t)err : (pid_t)strtol(field.value, NULL, 10);
}

/* One number for each namespace, ours first: returns how many, and the last one. */
static unsigned int read_inner_pid(const char *value, pid_t *ret_inner)
{
	unsigned int namespaces = 0;
	char *at = (char *)value;

	for (; *at == '\t'; namespaces++)
		*ret_inner = (pid_t)strtol(at, &at, 10);
	return namespaces;
}

pid_t procfs_inner_pid(pid_t pid)
{
	struct status_field field = {.key = "NSpid:"};
	pid_t inner = 0;

	process_status_read(pid, &field, 1);
	return read_inner_pid(field.value, &inner) > 1 ? inner : 0;
}

int procfs_identity(pid_t pid, uid_t *ret_uid, pid_t *ret_inner)
{
	struct status_field fields[] = {{.key = "Uid:"}, {.key = "NSpid:"}};
	int err = process_status_read(pid, fields, 2);
	const char *effective = err ? NULL : strchr(fields[0].value + strspn(fields[0].value, "\t"), '\t');

	if (!effective || !read_inner_pid(fields[1].value, ret_inner))
		return shortage_is(err) ? err : -ESRCH;
	*ret_uid = (uid_t)strtoul(effective, NULL, 10);
	return 0;
}

pid_t procfs_parent(pid_t pid)
{
	return status_number(pid, "PPid:");
}

unsigned int procfs_threads(pid_t pid)
{
	return (unsigned int)status_number(pid, "Threads:");
}

bool procfs_catches(pid_t pid, int signal)
{
	return status_value(pid, "SigCgt:", 16) >> (signal - 1) & 1;
}

pid_t procfs_tracer(pid_t pid)
{
	return status_number(pid, "TracerPid:");
}

int procfs_seccomp(pid_t tid)
{
	struct status_field field = {.key = "Seccomp:"};

	process_status_read(tid, &field, 1);
	return field.value[0] ? (int)strtol(field.value, NULL, 10) : -ESRCH;
}

bool procfs_has_shadow_stack(pid_t tid)
{
	struct status_field field = {.key = "x86_Thread_features:"};

	return process_status_read(tid, &field, 1) || strstr(field.value, "shstk");
}

/* A field of the file by its number in proc(5); 0: unknown. */
static u64 stat_field(pid_t pid, int wanted)
{
	char path[PATH_MAX], stat[1024], *field;

	if (procfs_read(text_path(path, "/proc/%d/stat", pid), stat, sizeof(stat)) <= 0)
		return 0;
	field = strrchr(stat, ')'); /* the second one */
	for (int number = 2; field && number < wanted; number++)
		field = strchr(field + 1, ' ');
	return field ? strtoull(field, NULL, 10) : 0;
}

bool procfs_is_ending(pid_t pid)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	bool ending = true;
	int err = 0;
	DIR *dir = opendir(text_path(path, "/proc/%d/task", pid));

	if (!dir)
		return !shortage_is(-errno) || !is_there(pid);
	while (ending && (entry = directory_next(dir, &err))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		/* Flags of 0 may be those of a thread that is gone by now. */
		if (tid > 0 && !(stat_field(tid, STAT_FLAGS) & PF_EXITING))
			ending = procfs_has_ended(tid);
	}
	closedir(dir);
	return ending && !(err && is_there(pid));
}

u64 procfs_heap_start(pid_t pid)
{
	return stat_field(pid, STAT_HEAP_START);
}

bool procfs_is_kernels(pid_t tid)
{
	return stat_field(tid, STAT_FLAGS) & (PF_IO_WORKER | PF_USER_WORKER);
}

bool procfs_is_kernel_thread(pid_t pid)
{
	return stat_field(pid, STAT_FLAGS) & PF_KTHREAD;
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
	char path[PATH_MAX], comm[32] = "";
	ssize_t length = procfs_read(text_path(path, "/proc/%d/comm", pid), comm, sizeof(comm));

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

bool procfs_is_memory(const char *path)
{
	return !strncmp(path, "/memfd:", 7) || !strncmp(path, "/SYSV", 5);
}

char *procfs_command_line(pid_t pid)
{
	char path[PATH_MAX], line[4096] = "";
	ssize_t length = procfs_read(text_path(path, "/proc/%d/cmdline", pid), line, sizeof(line));

	while (length > 0 && !line[length - 1])
		length--;
	if (length <= 0)
		return NULL;
	for (ssize_t i = 0; i < length; i++)
		if (!line[i])
			line[i] = ' ';
	return strndup(line, (size_t)length);
}

char *procfs_exe(pid_t pid)
{
	char path[PATH_MAX], exe[PATH_MAX];
	ssize_t length = readlink(text_path(path, "/proc/%d/exe", pid), exe, sizeof(exe) - 1);

	if (length <= 0)
		return NULL;
	exe[length] = '\0';
	procfs_cut_deleted(exe);
	return strdup(exe);
}

u64 procfs_rss_bytes(pid_t pid)
{
	char path[PATH_MAX], statm[128];
	unsigned long long total, resident;

	if (procfs_read(text_path(path, "/proc/%d/statm", pid), statm, sizeof(statm)) <= 0 ||
	    sscanf(statm, "%llu %llu", &total, &resident) != 2)
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

bool procfs_has_shadow_stacks(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	size_t size = 0;
	char *line = NULL;
	bool found = true;

	/* The flags of one processor are those of all. */
	while (file && getline(&line, &size, file) > 0) {
		if (strncmp(line, "flags", 5) != 0)
			continue;
		found = strstr(line, " user_shstk");
		break;
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}
