/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw BPF_LINK_CREATE and perf_event_open for uprobes. */
#include "trace/uprobe_link.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UPROBE_MULTI_RETURN 1 /* BPF_F_UPROBE_MULTI_RETURN */

/*
 * The part of union bpf_attr that BPF_LINK_CREATE reads. Spelled out because the header heaptap is built with may be
 * older than the kernel it runs on: Debian 12's union bpf_attr has no uprobe_multi.
 */
struct link_create {
	u32 prog_fd;
	u32 target_fd;
	u32 attach_type;
	u32 flags;
	union {
		struct {
			u64 path;
			u64 offsets;
			u64 ref_ctr_offsets;
			u64 cookies;
			u32 count;
			u32 flags;
			u32 pid;
			u32 padding;
		} uprobe_multi;
		struct {
			u64 cookie;
		} perf_event;
	};
};

_Static_assert(sizeof(struct link_create) == 64, "layout of union bpf_attr, link_create");

static u64 address(const void *pointer)
{
	return (u64)(uintptr_t)pointer;
}

static int link_create(const struct link_create *attr, size_t size)
{
	long fd = syscall(SYS_bpf, BPF_LINK_CREATE, attr, size);

	return fd < 0 ? -errno : (int)fd;
}

int uprobe_link_create_multi(int prog_fd, u32 attach_type, const char *path, const u64 *offsets, const u64 *cookies,
			     u32 count, pid_t pid, bool ret)
{
	/* Without a byte that is not named: the kernel refuses any it does not know that is not zero. */
	const struct link_create attr = {
		.prog_fd = (u32)prog_fd,
		.attach_type = attach_type,
		.uprobe_multi =
			{
				.path = address(path),
				.offsets = address(offsets),
				.cookies = address(cookies),
				.count = count,
				.flags = ret ? UPROBE_MULTI_RETURN : 0,
				.pid = (u32)pid,
			},
	};

	return link_create(&attr, sizeof(attr));
}

/* One number out of a sysfs file that holds `format`. */
static int sysfs_number(const char *path, const char *format, unsigned int *ret_number)
{
	FILE *file = fopen(path, "re");
	unsigned int number;
	int matched;

	if (!file)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	matched = fscanf(file, format, &number);
	fclose(file);
	if (matched != 1)
		return -EBADMSG;
	*ret_number = number;
	return 0;
}

int uprobe_link_create_event(const char *path, u64 offset, pid_t pid, bool ret)
{
	struct perf_event_attr attr = {.size = sizeof(attr), .uprobe_path = address(path), .probe_offset = offset};
	unsigned int bit = 0;
	int err;
	long fd;

	err = sysfs_number("/sys/bus/event_source/devices/uprobe/type", "%u", &attr.type);
	if (!err)
		err = sysfs_number("/sys/bus/event_source/devices/uprobe/format/retprobe", "config:%u", &bit);
	if (err)
		return err;
	if (bit > 63)
		return -EBADMSG;
	attr.config = ret ? 1ULL << bit : 0;
	/* Unfiltered, an event is still opened on some CPU; the program runs on whichever one hits. */
	fd = syscall(SYS_perf_event_open, &attr, pid ? pid : -1, pid ? -1 : 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

int uprobe_link_create_perf(int prog_fd, const char *path, u64 offset, u64 cookie, pid_t pid, bool ret,
			    int *ret_perf_fd)
{
	int perf_fd = uprobe_link_create_event(path, offset, pid, ret), link_fd;
	struct link_create attr;

	if (perf_fd < 0)
		return perf_fd;
	/* All of the union: an older kernel refuses what is not zero behind the part that it knows. */
	memset(&attr, 0, sizeof(attr));
	attr.prog_fd = (u32)prog_fd;
	attr.target_fd = (u32)perf_fd;
	attr.attach_type = BPF_PERF_EVENT;
	attr.perf_event.cookie = cookie;
	link_fd = link_create(&attr, sizeof(attr));
	if (link_fd < 0) {
		close(perf_fd);
		return link_fd;
	}
	*ret_perf_fd = perf_fd;
	return link_fd;
}
