/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory_group.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mntent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"

/* Where groups with the controller can be made; the one of version 1 has it if it is mounted. */
static const char *find_hierarchy(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;
	const char *root = NULL;

	while (mounts && (entry = getmntent(mounts))) {
		bool first = !strcmp(entry->mnt_type, "cgroup") && hasmntopt(entry, "memory");

		if (first || (!root && !strcmp(entry->mnt_type, "cgroup2")))
			root = format("%s", entry->mnt_dir);
		if (first)
			break;
	}
	if (mounts)
		endmntent(mounts);
	if (!root)
		fail_msg("no cgroup hierarchy is mounted");
	return root;
}

/* Has the kernel taken it? */
static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return written;
}

bool memory_group_make(struct group *group, uint64_t limit_bytes)
{
	static unsigned int made;
	const char *root = find_hierarchy(), *limit = format("%" PRIu64, limit_bytes);

	/* Version 2 has the files of a controller in groups whose parent passes it on. */
	put(format("%s/cgroup.subtree_control", root), "+memory");
	snprintf(group->dir, sizeof(group->dir), "%s", format("%s/heaptap-memory-%d-%u", root, getpid(), made++));
	if (mkdir(group->dir, 0755))
		fail_msg("%s: %s", group->dir, strerror(errno));
	return put(format("%s/memory.max", group->dir), limit) ||
	       put(format("%s/memory.limit_in_bytes", group->dir), limit);
}
