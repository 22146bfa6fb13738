/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binary/elf.h"
#include "system/address_map.h"
#include "system/proc_maps.h"

/* One process after the other. */
struct look {
	struct doctor_scan *scan;
	pid_t pid;
	bool runs;	   /* it maps code, so it is not a thread of the kernel */
	bool known;	   /* an allocator is among its files */
	bool wide, narrow; /* files of 64 and of other bits are */
};

/* Once for each process, which may map a file several times. */
static void add(struct doctor_scan_some *some, pid_t pid)
{
	if (some->last == pid)
		return;
	some->last = pid;
	if (some->count < DOCTOR_SCAN_NAMED)
		some->first[some->count] = pid;
	some->count++;
}

/*
 * Why binaries_open_mapping has no file: because it cannot be opened? Code that is mapped from a file that is no ELF file
 * can be opened, and what a process maps that has ended does not matter.
 */
static bool is_denied(pid_t pid, const struct mapping *mapping)
{
	int fd;

	/* Memory without a file has a path as well, and no inode. */
	if (!mapping->inode)
		return false;
	fd = proc_maps_open(pid, mapping);
	if (fd >= 0)
		close(fd);
	return fd < 0 && fd != -ESRCH;
}

static int add_denied(struct doctor_scan *scan, pid_t pid, const struct mapping *mapping)
{
	struct doctor_scan_denied **end = &scan->denied;
	size_t size = strlen(mapping->path) + 1;

	for (; *end; end = &(*end)->next)
		if ((*end)->device == mapping->device && (*end)->inode == mapping->inode)
			return 0;
	*end = malloc(sizeof(**end) + size);
	if (!*end)
		return -ENOMEM;
	**end = (struct doctor_scan_denied){NULL, mapping->device, mapping->inode, pid, mapping->deleted};
	memcpy((*end)->path, mapping->path, size);
	scan->denied_count++;
	return 0;
}

static int look_at_mapping(struct mapping *mapping, void *arg)
{
	struct look *look = arg;
	struct doctor_scan *scan = look->scan;
	struct binary *file;
	int err = binaries_open_mapping(scan->binaries, look->pid, mapping, &file);

	look->runs = true;
	if (err || !mapping->path || mapping->path[0] != '/')
		return err;
	if (!file)
		return is_denied(look->pid, mapping) ? add_denied(scan, look->pid, mapping) : 0;
	if (elf_is_64bit_x86(file->elf))
		look->wide = true;
	else
		look->narrow = true;
	if (!file->plan)
		return 0;
	look->known = true;
	add(&scan->users[file->allocator], look->pid);
	return 0;
}

static int look_at_process(struct look *look, pid_t pid)
{
	struct doctor_scan *scan = look->scan;
	int err;

	*look = (struct look){.scan = scan, .pid = pid};
	err = proc_maps_for_each(pid, look_at_mapping, look);
	if (err == -EACCES || err == -EPERM)
		add(&scan->unread, pid);
	if (err) {
		scan->error = err;
		return err == -ENOMEM ? err : 0;
	}
	scan->processes += look->runs;
	if (look->runs && !look->known)
		add(look->narrow && !look->wide ? &scan->narrow : &scan->plain, pid);
	return 0;
}

int doctor_scan_make(const struct custom_allocator *pools, const struct pid_list *pids, struct doctor_scan *ret_scan)
{
	struct look look = {.scan = ret_scan};
	int err;

	*ret_scan = (struct doctor_scan){.binaries = binaries_new(pools)};
	err = ret_scan->binaries ? 0 : -ENOMEM;
	for (unsigned int i = 0; i < pids->count && !err; i++)
		err = look_at_process(&look, pids->pids[i]);
	if (err)
		doctor_scan_release(ret_scan);
	return err;
}

void doctor_scan_release(struct doctor_scan *scan)
{
	struct doctor_scan_denied *next;

	for (struct doctor_scan_denied *denied = scan->denied; denied; denied = next) {
		next = denied->next;
		free(denied);
	}
	binaries_free(scan->binaries);
	*scan = (struct doctor_scan){0};
}
