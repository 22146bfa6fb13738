/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limit and use of memory from a group up to the root, by the names of either version. Called by account. */
#include "system/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* False: not there, or "max". */
static bool read_bytes(const char *root, const char *path, const char *name, u64 *ret_bytes)
{
	unsigned long long bytes;
	bool found = false;
	char *file;
	FILE *in;

	if (asprintf(&file, "%s%s/%s", root, path, name) < 0)
		return false;
	in = fopen(file, "re");
	free(file);
	if (in) {
		found = fscanf(in, "%llu", &bytes) == 1;
		fclose(in);
	}
	if (found)
		*ret_bytes = bytes;
	return found;
}

/* Version 1 has no word for it: the largest number of bytes that is whole pages. */
static bool is_limit(u64 bytes)
{
	return bytes < 1ULL << 62;
}

static bool read_group(const char *root, const char *group, u64 *ret_limit, u64 *ret_used)
{
	return (read_bytes(root, group, "memory.max", ret_limit) &&
		read_bytes(root, group, "memory.current", ret_used)) ||
	       (read_bytes(root, group, "memory.limit_in_bytes", ret_limit) && is_limit(*ret_limit) &&
		read_bytes(root, group, "memory.usage_in_bytes", ret_used));
}

static u64 room(u64 limit, u64 used)
{
	return used < limit ? limit - used : 0;
}

void cgroup_memory(const char *root, const char *path, u64 *ret_limit, u64 *ret_used)
{
	char *group = path && *path == '/' && !strstr(path, "/..") ? strdup(path) : NULL, *slash;

	*ret_limit = *ret_used = 0;
	while (group && *group) {
		u64 limit, used;

		if (read_group(root, group, &limit, &used) &&
		    (!*ret_limit || room(limit, used) < room(*ret_limit, *ret_used))) {
			*ret_limit = limit;
			*ret_used = used;
		}
		slash = strrchr(group, '/');
		*slash = '\0';
	}
	free(group);
}
