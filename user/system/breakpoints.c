/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/breakpoints.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/text.h"
#include "system/address_map.h"
#include "system/proc_maps.h"
#include "system/procfs.h"

#define PAGE	  4096
#define INT3	  0xcc
#define ENTRIES	  512	       /* of the page map that are read at a time */
#define IN_MEMORY (3ULL << 62) /* present or swapped; Documentation/admin-guide/mm/pagemap.rst */
#define FROM_FILE (1ULL << 61)

struct look {
	pid_t pid;
	int memory, pages, file; /* file: of the mapping, -1: not opened yet */
	int (*each)(const struct mapping *mapping, int file, u64 offset, void *arg);
	void *arg;
};

static bool is_own(u64 entry)
{
	return entry & IN_MEMORY && !(entry & FROM_FILE);
}

/* False if other bytes differ. */
static bool only_breakpoints(const u8 *mapped, const u8 *original, ssize_t length)
{
	for (ssize_t i = 0; i < length; i++)
		if (mapped[i] != original[i] && mapped[i] != INT3)
			return false;
	return true;
}

static int look_at_page(struct look *look, const struct mapping *mapping, u64 addr)
{
	u64 offset = addr - mapping->start + mapping->file_offset;
	u8 mapped[PAGE], original[PAGE];
	ssize_t length;
	int ret = 0;

	if (look->file < 0)
		look->file = proc_maps_open(look->pid, mapping);
	if (look->file < 0)
		return 0;
	length = pread(look->file, original, sizeof(original), (off_t)offset);
	if (length <= 0 || pread(look->memory, mapped, (size_t)length, (off_t)addr) != length ||
	    !only_breakpoints(mapped, original, length))
		return 0;
	for (ssize_t i = 0; i < length && !ret; i++)
		if (mapped[i] != original[i])
			ret = look->each(mapping, look->file, offset + (u64)i, look->arg);
	return ret;
}

static int look_at_mapping(struct mapping *mapping, void *arg)
{
	struct look *look = arg;
	u64 entries[ENTRIES], addr = mapping->start;
	int ret = 0;

	/* Memory without a file has nothing to compare with. */
	while (mapping->inode && addr < mapping->end && !ret) {
		u64 left = (mapping->end - addr) / PAGE, wanted = left < ENTRIES ? left : ENTRIES;
		ssize_t size =
			pread(look->pages, entries, wanted * sizeof(*entries), (off_t)(addr / PAGE * sizeof(*entries)));

		if (size <= 0)
			break;
		for (u64 i = 0; i < (u64)size / sizeof(*entries) && !ret; i++, addr += PAGE)
			if (is_own(entries[i]))
				ret = look_at_page(look, mapping, addr);
	}
	if (look->file >= 0)
		close(look->file);
	look->file = -1;
	return ret;
}

int breakpoints_for_each(pid_t pid, int (*each)(const struct mapping *mapping, int file, u64 offset, void *arg),
			 void *arg)
{
	struct look look = {.pid = pid, .memory = -1, .pages = -1, .file = -1, .each = each, .arg = arg};
	pid_t tid = procfs_live_thread(pid);
	char path[PATH_MAX];
	int ret = tid ? 0 : -ESRCH;

	if (!ret) {
		look.memory = open(text_path(path, "/proc/%d/mem", tid), O_RDONLY | O_CLOEXEC);
		ret = look.memory < 0 ? -errno : 0;
	}
	if (!ret) {
		look.pages = open(text_path(path, "/proc/%d/pagemap", tid), O_RDONLY | O_CLOEXEC);
		ret = look.pages < 0 ? -errno : 0;
	}
	if (!ret)
		ret = proc_maps_for_each(pid, look_at_mapping, &look);
	if (look.memory >= 0)
		close(look.memory);
	if (look.pages >= 0)
		close(look.pages);
	return ret;
}
