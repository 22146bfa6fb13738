/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares the code a process runs with the file it came from. */
#include "code.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "system/procfs.h"

static unsigned int changes_in(int memory, const char *path, uint64_t start, uint64_t end, uint64_t offset)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	char mapped[4096], original[4096];
	unsigned int changes = 0;

	if (file < 0)
		fail_msg("%s: %s", path, strerror(errno));
	for (uint64_t at = start; at < end; at += sizeof(mapped)) {
		ssize_t length = pread(file, original, sizeof(original), (off_t)(offset + at - start));

		if (length <= 0)
			break;
		if (pread(memory, mapped, (size_t)length, (off_t)at) != length)
			fail_msg("memory at %#lx: %s", (unsigned long)at, strerror(errno));
		for (ssize_t i = 0; i < length; i++)
			changes += mapped[i] != original[i];
	}
	close(file);
	return changes;
}

unsigned int code_changes(pid_t pid, const char *name)
{
	pid_t thread = procfs_live_thread(pid);
	FILE *maps = fopen(format("/proc/%d/maps", thread), "re");
	int memory = open(format("/proc/%d/mem", thread), O_RDONLY | O_CLOEXEC);
	unsigned int changes = 0, mappings = 0;
	char line[PATH_MAX + 128];

	if (!maps || memory < 0) {
		fail_msg("process %d cannot be read: %s", pid, strerror(errno));
		return 0;
	}
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end, offset;
		char rights[8], path[PATH_MAX] = "";

		if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %4095s", &start, &end, rights, &offset, path) < 5)
			continue;
		if (rights[2] != 'x' || !strstr(path, name))
			continue;
		changes += changes_in(memory, format("/proc/%d/root%s", thread, path), start, end, offset);
		mappings++;
	}
	fclose(maps);
	close(memory);
	if (!mappings)
		fail_msg("process %d does not map %s", pid, name);
	return changes;
}
