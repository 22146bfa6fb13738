/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One look at the mappings of each process; called by forecast. */
#define HASH_NONFATAL_OOM	     1
#define uthash_nonfatal_oom(element) (out_of_memory = true)
#include "cli/doctor_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "binary/elf.h"
#include "system/address_map.h"
#include "system/proc_maps.h"

struct survey_file {
	struct {
		u64 device, inode;
	} key;
	UT_hash_handle hh;
};

/* One process after the other. */
struct scan {
	struct doctor_scan *survey;
	pid_t latest[ALLOCATORS_MAX]; /* that was seen to map each allocator file: it may map it several times */
	pid_t pid;
	bool runs;	   /* it maps code, so it is not a thread of the kernel */
	bool known;	   /* an allocator is among its files */
	bool wide, narrow; /* files of 64 and of other bits are */
};

static void add(struct doctor_scan_some *some, pid_t pid)
{
	if (some->count < DOCTOR_SCAN_NAMED)
		some->first[some->count] = pid;
	some->count++;
}

static int add_denied(struct doctor_scan *scan, pid_t pid, const struct mapping *mapping)
{
	struct survey_file *file = calloc(1, sizeof(*file)), *known;
	bool out_of_memory = false;

	if (!file)
		return -ENOMEM;
	file->key.device = mapping->device;
	file->key.inode = mapping->inode;
	HASH_FIND(hh, scan->denied, &file->key, sizeof(file->key), known);
	if (known) {
		free(file);
		return 0;
	}
	HASH_ADD(hh, scan->denied, key, sizeof(file->key), file);
	if (out_of_memory) {
		free(file);
		return -ENOMEM;
	}
	if (scan->denied_count++)
		return 0;
	scan->denied_pid = pid;
	scan->denied_path = strdup(mapping->path);
	return scan->denied_path ? 0 : -ENOMEM;
}

bool doctor_scan_is_denied(pid_t pid, const struct mapping *mapping)
{
	int fd;

	/* Memory without a file has a path as well, and no inode. */
	if (!mapping->path || mapping->path[0] != '/' || !mapping->inode)
		return false;
	fd = proc_maps_open(pid, mapping);
	if (fd >= 0)
		close(fd);
	return fd < 0 && fd != -ESRCH;
}

static int look_at(struct mapping *mapping, void *arg)
{
	struct scan *scan = arg;
	struct doctor_scan *survey = scan->survey;
	struct binary *file;
	int err = binaries_open_mapping(survey->binaries, scan->pid, mapping, &file);

	scan->runs = true;
	if (err || !mapping->path || mapping->path[0] != '/')
		return err;
	if (!file)
		return doctor_scan_is_denied(scan->pid, mapping) ? add_denied(survey, scan->pid, mapping) : 0;
	if (elf_is_64bit_x86(file->elf))
		scan->wide = true;
	else
		scan->narrow = true;
	if (!file->plan)
		return 0;
	scan->known = true;
	if (scan->latest[file->allocator] == scan->pid)
		return 0;
	scan->latest[file->allocator] = scan->pid;
	add(&survey->users[file->allocator], scan->pid);
	return 0;
}

static int look_at_process(struct scan *scan, pid_t pid)
{
	struct doctor_scan *survey = scan->survey;
	int err;

	scan->pid = pid;
	scan->runs = scan->known = scan->wide = scan->narrow = false;
	err = proc_maps_for_each(pid, look_at, scan);
	if (err == -EACCES || err == -EPERM)
		add(&survey->unread, pid);
	if (err)
		return err == -ENOMEM ? err : 0;
	survey->processes += scan->runs;
	if (scan->runs && !scan->known)
		add(scan->narrow && !scan->wide ? &survey->narrow : &survey->plain, pid);
	return 0;
}

int doctor_scan_make(const struct custom_allocator *pools, const struct pid_list *pids, struct doctor_scan *ret_survey)
{
	struct scan *scan = calloc(1, sizeof(*scan));
	int err = 0;

	*ret_survey = (struct doctor_scan){.binaries = binaries_new(pools)};
	if (!scan || !ret_survey->binaries)
		err = -ENOMEM;
	else
		scan->survey = ret_survey;
	for (unsigned int i = 0; i < pids->count && !err; i++)
		err = look_at_process(scan, pids->pids[i]);
	free(scan);
	if (err)
		doctor_scan_release(ret_survey);
	return err;
}

void doctor_scan_release(struct doctor_scan *scan)
{
	struct survey_file *file, *next;

	HASH_ITER (hh, scan->denied, file, next) {
		HASH_DEL(scan->denied, file);
		free(file);
	}
	free(scan->denied_path);
	binaries_free(scan->binaries);
	*scan = (struct doctor_scan){0};
}
