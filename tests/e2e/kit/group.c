/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making, filling and removing a control group. */
#include "group.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <mntent.h>
#include <poll.h>
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

static const char *hierarchy(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;
	const char *root = NULL;

	while (mounts && !root && (entry = getmntent(mounts)))
		if (!strcmp(entry->mnt_type, "cgroup2"))
			root = format("%s", entry->mnt_dir);
	if (mounts)
		endmntent(mounts);
	if (!root)
		fail_msg("no cgroup2 hierarchy is mounted");
	return root;
}

void group_make(struct group *group)
{
	static unsigned int made;
	const char *root = hierarchy(), *dir = format("%s/heaptap-e2e-%d-%u", root, getpid(), made++);

	snprintf(group->dir, sizeof(group->dir), "%s", dir);
	if (mkdir(group->dir, 0755))
		fail_msg("%s: %s", group->dir, strerror(errno));
	group->path = group->dir + strlen(root);
}

void group_make_below(struct group *group, const struct group *above, const char *name)
{
	char dir[sizeof(group->dir)];

	snprintf(dir, sizeof(dir), "%s", format("%s/%s", above->dir, name));
	for (char *slash = dir + strlen(above->dir); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, 0755) && errno != EEXIST)
			fail_msg("%s: %s", dir, strerror(errno));
		*slash = '/';
	}
	if (mkdir(dir, 0755))
		fail_msg("%s: %s", dir, strerror(errno));
	memcpy(group->dir, dir, sizeof(dir));
	group->path = group->dir + (above->path - above->dir);
}

/* The hierarchy of version 1 that has the controller, if it is mounted. */
static const char *hierarchy_of(const char *controller)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;
	const char *root = NULL;

	while (mounts && !root && (entry = getmntent(mounts)))
		if (!strcmp(entry->mnt_type, "cgroup") && hasmntopt(entry, controller))
			root = format("%s", entry->mnt_dir);
	if (mounts)
		endmntent(mounts);
	return root ? root : hierarchy();
}

void group_make_controlled(struct group *group, const char *controller)
{
	static unsigned int made;
	const char *root = hierarchy_of(controller);
	struct group above = {0};

	/* Version 2 has the files of a controller in groups whose parent passes it on. */
	snprintf(above.dir, sizeof(above.dir), "%s", root);
	group_put(&above, "cgroup.subtree_control", format("+%s", controller));
	snprintf(group->dir, sizeof(group->dir), "%s",
		 format("%s/heaptap-%s-%d-%u", root, controller, getpid(), made++));
	if (mkdir(group->dir, 0755))
		fail_msg("%s: %s", group->dir, strerror(errno));
}

bool group_put(const struct group *group, const char *name, const char *text)
{
	int fd = open(format("%s/%s", group->dir, name), O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return written;
}

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)walk;
	if (flag == FTW_DP)
		rmdir(path);
	return 0;
}

static bool populated(int events)
{
	char text[256] = "";

	return pread(events, text, sizeof(text) - 1, 0) > 0 && strstr(text, "populated 1");
}

void group_remove(struct group *group)
{
	int events, kill;

	if (!*group->dir)
		return;
	events = open(format("%s/cgroup.events", group->dir), O_RDONLY | O_CLOEXEC);
	kill = open(format("%s/cgroup.kill", group->dir), O_WRONLY | O_CLOEXEC);
	if (kill >= 0 && write(kill, "1", 1) == 1)
		while (populated(events) && poll(&(struct pollfd){.fd = events, .events = POLLPRI}, 1, DEADLINE_MS) > 0)
			;
	close(kill);
	close(events);
	nftw(group->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	*group->dir = '\0';
}

const char *const *group_wrapper(const struct group *group)
{
	static const char *words[5];

	words[0] = "/bin/sh";
	words[1] = "-c";
	words[2] = format("echo 0 >'%s/cgroup.procs' && exec \"$@\"", group->dir);
	words[3] = "sh";
	return words;
}
