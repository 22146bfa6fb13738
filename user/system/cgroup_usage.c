/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/cgroup_usage.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define V1_NO_LIMIT (1ULL << 62) /* more than this is "no limit" there: the largest number of whole pages */

struct directory {
	const char *root, *path;
};

static FILE *open_file(const struct directory *directory, const char *name)
{
	char file[PATH_MAX];

	return fopen(text_path(file, "%s%s/%s", directory->root, directory->path, name), "re");
}

/* False: not there, or "max". */
static bool read_number(const struct directory *directory, const char *name, u64 *ret_bytes)
{
	FILE *in = open_file(directory, name);
	unsigned long long bytes;
	bool found = in && fscanf(in, "%llu", &bytes) == 1;

	if (in)
		fclose(in);
	if (found)
		*ret_bytes = bytes;
	return found;
}

/* A row of memory.stat, and the sum that it is part of. */
struct row {
	const char *name;
	u64 offset;
};

#define ROW(name, sum)                                                                                                 \
	{                                                                                                              \
		name, offsetof(struct cgroup_usage, sum)                                                               \
	}

static const struct row rows_v2[] = {ROW("anon", anon), ROW("file", file), ROW("sock", sock), ROW("kernel", kernel)};
/* Before Linux 5.18 there is no sum of them. */
static const struct row rows_kernel[] = {ROW("kernel_stack", kernel), ROW("pagetables", kernel), ROW("percpu", kernel),
					 ROW("slab", kernel)};
/* With the groups below. */
static const struct row rows_v1[] = {ROW("total_rss", anon), ROW("total_cache", file), ROW("total_swap", swap)};

#define ROWS(rows) rows, sizeof(rows) / sizeof(*rows)

static void add_rows(const struct directory *directory, const struct row *rows, u64 count, struct cgroup_usage *usage)
{
	FILE *in = open_file(directory, "memory.stat");
	unsigned long long bytes;
	char name[64];

	while (in && fscanf(in, "%63s %llu", name, &bytes) == 2)
		for (u64 i = 0; i < count; i++)
			if (!strcmp(name, rows[i].name))
				*(u64 *)((char *)usage + rows[i].offset) += bytes;
	if (in)
		fclose(in);
}

static void read_v2(const struct directory *directory, struct cgroup_usage *usage)
{
	read_number(directory, "memory.max", &usage->limit);
	read_number(directory, "memory.swap.current", &usage->swap);
	add_rows(directory, ROWS(rows_v2), usage);
	if (!usage->kernel)
		add_rows(directory, ROWS(rows_kernel), usage);
}

static void read_v1(const struct directory *directory, struct cgroup_usage *usage)
{
	read_number(directory, "memory.limit_in_bytes", &usage->limit);
	usage->limit = usage->limit < V1_NO_LIMIT ? usage->limit : 0;
	read_number(directory, "memory.kmem.usage_in_bytes", &usage->kernel);
	read_number(directory, "memory.kmem.tcp.usage_in_bytes", &usage->sock);
	add_rows(directory, ROWS(rows_v1), usage);
}

struct cgroup_usage cgroup_usage_read(const char *root, const char *path)
{
	const struct directory directory = {root, path};
	struct cgroup_usage usage = {0};

	usage.known = read_number(&directory, "memory.current", &usage.used);
	if (usage.known) {
		read_v2(&directory, &usage);
		return usage;
	}
	usage.known = read_number(&directory, "memory.usage_in_bytes", &usage.used);
	if (usage.known)
		read_v1(&directory, &usage);
	return usage;
}
