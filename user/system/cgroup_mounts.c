/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/cgroup_mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/stream.h"
#include "base/text.h"
#include "system/procfs.h"

/* A chroot may mount all of them again; those that users name come first. */
#define V1_MOUNTS_MAX 256

#define LINES_MAX 65536 /* of a process: a line for each hierarchy, at most a path long */

const char *cgroup_mounts_below(const char *prefix, const char *path)
{
	size_t length = strlen(prefix);

	if (strncmp(path, prefix, length) || (path[length] != '/' && path[length]))
		return NULL;
	return path + length;
}

/* The kernel writes blanks and backslashes of a path as three octal digits. In place; returns `text`. */
static char *unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' &&
		    from[3] >= '0' && from[3] <= '7') {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return text;
}

static void mount_release(struct cgroup_mount *mount)
{
	free(mount->point);
	free(mount->top);
	free(mount->controllers);
	*mount = (struct cgroup_mount){0};
}

/* "/" and what it holds are written without a slash at the end, so that a path can simply be appended. */
static int mount_init(struct cgroup_mount *mount, char *point, char *top, const char *controllers)
{
	mount->point = strdup(strcmp(point, "/") ? unescape(point) : "");
	mount->top = strdup(strcmp(top, "/") ? unescape(top) : "");
	mount->controllers = controllers ? strdup(controllers) : NULL;
	if (mount->point && mount->top && (mount->controllers || !controllers))
		return 0;
	mount_release(mount);
	return -ENOMEM;
}

static int add_v2(struct cgroup_mounts *mounts, char *point, char *top)
{
	struct cgroup_mount mount;
	int err;

	/* A mount of the whole hierarchy replaces one of a part; otherwise the first one stays. */
	if (mounts->v2.point && (!*mounts->v2.top || strcmp(top, "/")))
		return 0;
	err = mount_init(&mount, point, top, NULL);
	if (err)
		return err;
	mount_release(&mounts->v2);
	mounts->v2 = mount;
	return 0;
}

static int add_v1(struct cgroup_mounts *mounts, char *point, char *top, const char *controllers)
{
	int err;

	if (mounts->v1_count == V1_MOUNTS_MAX)
		return 0;
	if (array_grow(&mounts->v1, mounts->v1_count, 1))
		return -ENOMEM;
	err = mount_init(&mounts->v1[mounts->v1_count], point, top, controllers);
	mounts->v1_count += !err;
	return err;
}

/* "31 23 0:28 TOP POINT options [tags] - TYPE source OPTIONS" */
static int add_line(struct cgroup_mounts *mounts, char *line)
{
	char *separator = strstr(line, " - "), *top, *point, *type, *options, *save;

	if (!separator)
		return 0;
	*separator = '\0';
	if (!strtok_r(line, " ", &save) || !strtok_r(NULL, " ", &save) || !strtok_r(NULL, " ", &save))
		return 0;
	top = strtok_r(NULL, " ", &save);
	point = strtok_r(NULL, " ", &save);
	type = strtok_r(separator + strlen(" - "), " ", &save);
	if (!top || !point || !type)
		return 0;
	if (!strcmp(type, "cgroup2"))
		return add_v2(mounts, point, top);
	options = strtok_r(NULL, " ", &save) ? strtok_r(NULL, " \n", &save) : NULL;
	return !strcmp(type, "cgroup") && options ? add_v1(mounts, point, top, options) : 0;
}

int cgroup_mounts_open(const char *root, struct cgroup_mounts *ret_mounts)
{
	struct cgroup_mounts mounts = {.root = strdup(root)};
	char path[PATH_MAX], *line = NULL;
	FILE *lines = fopen(text_path(path, "%s/proc/self/mountinfo", root), "re");
	size_t capacity = 0;
	int err = lines ? 0 : -errno;

	if (!mounts.root)
		err = -ENOMEM;
	while (!err && getline(&line, &capacity, lines) > 0)
		err = add_line(&mounts, line);
	if (!err)
		err = stream_read_failure(lines);
	if (!err && !mounts.v2.point)
		err = -ENOTSUP;
	if (lines)
		fclose(lines);
	free(line);
	if (err)
		cgroup_mounts_release(&mounts);
	else
		*ret_mounts = mounts;
	return err;
}

void cgroup_mounts_release(struct cgroup_mounts *mounts)
{
	free(mounts->root);
	mount_release(&mounts->v2);
	for (unsigned int i = 0; i < mounts->v1_count; i++)
		mount_release(&mounts->v1[i]);
	free(mounts->v1);
	*mounts = (struct cgroup_mounts){0};
}

char *cgroup_mounts_directory(const struct cgroup_mounts *mounts, const char *group)
{
	const char *below = cgroup_mounts_below(mounts->v2.top, strcmp(group, "/") ? group : "");
	char *directory;

	if (!below || asprintf(&directory, "%s%s%s", mounts->root, mounts->v2.point, below) < 0)
		return NULL;
	return directory;
}

/* Is `word` in a list of that length, separated by commas? */
static bool lists(const char *words, size_t length, const char *word)
{
	const char *end = words + length;

	for (const char *next; words <= end; words = next + 1) {
		next = memchr(words, ',', (size_t)(end - words));
		if (!next)
			next = end;
		if ((size_t)(next - words) == strlen(word) && !memcmp(words, word, strlen(word)))
			return true;
	}
	return false;
}

/* The path in "5:cpu,cpuacct:/path"; that of version 2 is "0::/path". NULL: a line of another hierarchy. */
static const char *group_of_line(const char *line, const char *end, const char *controller)
{
	const char *number_end = memchr(line, ':', (size_t)(end - line)),
		   *controllers = number_end ? number_end + 1 : end,
		   *controllers_end = memchr(controllers, ':', (size_t)(end - controllers)),
		   *group = controllers_end ? controllers_end + 1 : end;

	if (group == end || *group != '/')
		return NULL;
	if (controller)
		return lists(controllers, (size_t)(controllers_end - controllers), controller) ? group : NULL;
	return number_end == line + 1 && *line == '0' && controllers == controllers_end ? group : NULL;
}

char *cgroup_mounts_lines(const char *root, pid_t pid)
{
	char path[PATH_MAX], lines[LINES_MAX];

	if (procfs_read(text_path(path, "%s/proc/%d/cgroup", root, pid), lines, sizeof(lines)) <= 0)
		return NULL;
	return strdup(lines);
}

char *cgroup_mounts_group_in(const char *lines, const char *controller)
{
	while (*lines) {
		const char *end = strchrnul(lines, '\n'), *group = group_of_line(lines, end, controller);

		if (group)
			return strndup(group, (size_t)(end - group));
		lines = *end ? end + 1 : end;
	}
	return NULL;
}

char *cgroup_mounts_group(const char *root, pid_t pid, const char *controller)
{
	char *lines = cgroup_mounts_lines(root, pid), *group = lines ? cgroup_mounts_group_in(lines, controller) : NULL;

	free(lines);
	return group;
}

static const struct cgroup_mount *find_controller(const struct cgroup_mounts *mounts, const char *controller)
{
	for (unsigned int i = 0; i < mounts->v1_count; i++)
		if (lists(mounts->v1[i].controllers, strlen(mounts->v1[i].controllers), controller))
			return &mounts->v1[i];
	return NULL;
}

int cgroup_mounts_memory_in(const struct cgroup_mounts *mounts, const char *lines, char **ret_directory,
			    char **ret_path)
{
	const struct cgroup_mount *mount = find_controller(mounts, "memory");
	char *group = cgroup_mounts_group_in(lines, mount ? "memory" : NULL), *path, *directory;
	const char *below;

	if (!mount)
		mount = &mounts->v2;
	below = group ? cgroup_mounts_below(mount->top, group) : NULL;
	if (!below) {
		free(group);
		return -ESRCH;
	}
	path = strdup(below);
	free(group);
	if (!path || asprintf(&directory, "%s%s", mounts->root, mount->point) < 0) {
		free(path);
		return -ENOMEM;
	}
	*ret_directory = directory;
	*ret_path = path;
	return 0;
}

int cgroup_mounts_memory(const struct cgroup_mounts *mounts, pid_t pid, char **ret_directory, char **ret_path)
{
	char *lines = cgroup_mounts_lines(mounts->root, pid);
	int err = lines ? cgroup_mounts_memory_in(mounts, lines, ret_directory, ret_path) : -ESRCH;

	free(lines);
	return err;
}
