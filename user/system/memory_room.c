/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/memory_room.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "system/cgroup.h"
#include "system/cgroup_mounts.h"

struct memory_room memory_room_read(const char *root)
{
	struct cgroup_mounts mounts;
	struct memory_room room = {0};
	char *directory, *group;

	if (cgroup_mounts_open(root, &mounts))
		return room;
	if (!cgroup_mounts_memory(&mounts, getpid(), &directory, &group)) {
		cgroup_memory_needed(directory, group, &room.limit, &room.used);
		free(directory);
		free(group);
	}
	cgroup_mounts_release(&mounts);
	return room;
}

u64 memory_room_left(const struct memory_room *room)
{
	if (!room->limit)
		return UINT64_MAX;
	return room->used < room->limit ? room->limit - room->used : 0;
}
