/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A machine in a scratch directory: mounts, groups, processes and other files. Include cmocka before. */
#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "scratch.h"

#include "system/cgroup_mounts.h"

#define HOST_ID_A "aaaabbbbccccddddeeeeffff0000111122223333444455556666777788889999"
#define HOST_ID_B "aaaabbbbcccc00000000000000000000000000000000000000000000000000ff"
#define HOST_ID_C "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char host_root[PATH_MAX];
static struct cgroup_mounts host;

#define HOST_V2	  "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define HOST_ROOT "23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
#define HOST_V1                                                                                                        \
	"31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"                                                   \
	"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"                                  \
	"35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"                                            \
	"40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
#define HOST_HYBRID HOST_ROOT HOST_V1 "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"

/* Every directory before the last component. */
static inline void host_parents(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(!mkdir(copy, 0755) || errno == EEXIST);
		*slash = '/';
	}
}

/* `path` below the root, without a slash before it. */
__attribute__((format(printf, 2, 3))) static inline void host_file(const char *path, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	assert_true(vasprintf(&text, format, args) >= 0);
	va_end(args);
	host_parents(path);
	scratch_file(path, text, 0644);
	free(text);
}

/* A group, by its directory, with what stands in cgroup.procs. */
static inline void host_group(const char *directory, const char *pids)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	host_file(path, "%s", pids);
}

static inline void host_process(int pid, const char *lines)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/cgroup", pid);
	host_file(path, "%s", lines);
}

/* Read the mounts anew. */
static inline int host_open(const char *mounts)
{
	cgroup_mounts_release(&host);
	host_file("proc/self/mountinfo", "%s", mounts);
	return cgroup_mounts_open(host_root, &host);
}

/* Root reads every file, except without these two capabilities: then files without read permission stay closed. */
static inline void host_read_all(bool reads_all)
{
	const u32 both = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	assert_int_equal(syscall(SYS_capget, &header, sets), 0);
	sets[0].effective = reads_all ? sets[0].effective | (sets[0].permitted & both) : sets[0].effective & ~both;
	assert_int_equal(syscall(SYS_capset, &header, sets), 0);
}

static inline int host_setup(void **state)
{
	return scratch_setup(state) || !realpath(scratch_path, host_root) ? -1 : 0;
}

static inline int host_teardown(void **state)
{
	cgroup_mounts_release(&host);
	return scratch_teardown(state);
}
