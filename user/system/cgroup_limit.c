/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/cgroup_limit.h"

#include <stdlib.h>
#include <string.h>

#include "system/cgroup.h"

static bool has(const struct cgroup_limit *known, const char *directory, const char *path)
{
	return known->directory && known->path && !strcmp(known->directory, directory) && !strcmp(known->path, path);
}

void cgroup_limit_read(struct cgroup_limit *known, const char *directory, const char *path, u64 now_ns, u64 *ret_limit,
		       u64 *ret_used)
{
	if (!has(known, directory, path)) {
		cgroup_limit_release(known);
		known->directory = strdup(directory);
		known->path = strdup(path);
	}
	if (!known->read_ns || now_ns - known->read_ns >= CGROUP_LIMIT_NS) {
		cgroup_memory(directory, path, &known->limit, &known->used);
		known->read_ns = now_ns;
	}
	*ret_limit = known->limit;
	*ret_used = known->used;
}

void cgroup_limit_release(struct cgroup_limit *known)
{
	free(known->directory);
	free(known->path);
	*known = (struct cgroup_limit){0};
}
