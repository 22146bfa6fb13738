/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The memory that heaptap's own control group leaves it. BPF maps and the ring count for that group too. */
#include "include/types.h"

struct memory_room {
	u64 limit, used; /* bytes, see cgroup_memory_needed; both 0: no limit, or none that can be read */
};

/* The group with least room among the calling process's and those above it, below `root` ("": this machine). */
struct memory_room memory_room_read(const char *root);

u64 memory_room_left(const struct memory_room *room); /* UINT64_MAX without a limit */
