/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading mountinfo and /proc/PID/cgroup; called by cgroup, container and the tracer. Nothing is cached but the mounts. */
#include "system/cgroup_mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every chroot may mount all of them again; those that anybody names come first. */
#define V1_MOUNTS_MAX 256

const char *cgroup_mounts_below(const char *prefix, const char *path)
{
	size_t length = strlen(prefix);

	if (strncmp(path, prefix, length) || (path[length] != '/' && path[length]))
		return NULL;
	return path + length;
}

/* Blanks and backslashes of a path stand as three octal digits. In place; returns `text`. */
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

static int add_v2(struct cgroup_mounts *hierarchy, char *point, char *top)
{
	struct cgroup_mount mount;
	int err;

	/* The whole hierarchy is worth more than a part of it; of equals the first. */
	if (hierarchy->v2.point && (!*hierarchy->v2.top || strcmp(top, "/")))
		return 0;
	err = mount_init(&mount, point, top, NULL);
	if (err)
		return err;
	mount_release(&hierarchy->v2);
	hierarchy->v2 = mount;
	return 0;
}

static int add_v1(struct cgroup_mounts *hierarchy, char *point, char *top, const char *controllers)
{
	struct cgroup_mount *grown;
	int err;

	if (hierarchy->v1_count == V1_MOUNTS_MAX)
		return 0;
	grown = realloc(hierarchy->v1, (hierarchy->v1_count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	hierarchy->v1 = grown;
	err = mount_init(&grown[hierarchy->v1_count], point, top, controllers);
	hierarchy->v1_count += !err;
	return err;
}

/* "31 23 0:28 TOP POINT options [tags] - TYPE source OPTIONS" */
static int add_line(struct cgroup_mounts *hierarchy, char *line)
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
		return add_v2(hierarchy, point, top);
	options = strtok_r(NULL, " ", &save) ? strtok_r(NULL, " \n", &save) : NULL;
	return !strcmp(type, "cgroup") && options ? add_v1(hierarchy, point, top, options) : 0;
}

int cgroup_mounts_open(const char *root, struct cgroup_mounts *ret_hierarchy)
{
	struct cgroup_mounts hierarchy = {.root = strdup(root)};
	char *path = NULL, *line = NULL;
	FILE *mounts = NULL;
	size_t capacity = 0;
	int err = 0;

	if (!hierarchy.root || asprintf(&path, "%s/proc/self/mountinfo", root) < 0)
		err = -ENOMEM;
	else if (!(mounts = fopen(path, "re")))
		err = -errno;
	while (!err && getline(&line, &capacity, mounts) > 0)
		err = add_line(&hierarchy, line);
	if (!err && !hierarchy.v2.point)
		err = -ENOTSUP;
	if (mounts)
		fclose(mounts);
	free(line);
	free(path);
	if (err)
		cgroup_mounts_release(&hierarchy);
	else
		*ret_hierarchy = hierarchy;
	return err;
}

void cgroup_mounts_release(struct cgroup_mounts *hierarchy)
{
	free(hierarchy->root);
	mount_release(&hierarchy->v2);
	for (unsigned int i = 0; i < hierarchy->v1_count; i++)
		mount_release(&hierarchy->v1[i]);
	free(hierarchy->v1);
	*hierarchy = (struct cgroup_mounts){0};
}

char *cgroup_mounts_directory(const struct cgroup_mounts *hierarchy, const char *group)
{
	const char *below = cgroup_mounts_below(hierarchy->v2.top, strcmp(group, "/") ? group : "");
	char *directory;

	if (!below || asprintf(&directory, "%s%s%s", hierarchy->root, hierarchy->v2.point, below) < 0)
		return NULL;
	return directory;
}

/* Is `word` one of those between the commas? */
static bool lists(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (;; words++) {
		if (!strncmp(words, word, length) && (words[length] == ',' || !words[length]))
			return true;
		words = strchr(words, ',');
		if (!words)
			return false;
	}
}

/* The path in "5:cpu,cpuacct:/path"; that of version 2 is "0::/path". NULL: a line of another hierarchy. */
static const char *group_of_line(char *line, const char *controller)
{
	char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!group)
		return NULL;
	*controllers++ = *group++ = '\0';
	group[strcspn(group, "\n")] = '\0';
	if (*group != '/')
		return NULL;
	if (controller)
		return lists(controllers, controller) ? group : NULL;
	return strcmp(line, "0") || *controllers ? NULL : group;
}

char *cgroup_mounts_group(const char *root, pid_t pid, const char *controller)
{
	char *path, *line = NULL, *found = NULL;
	size_t capacity = 0;
	FILE *lines;

	if (asprintf(&path, "%s/proc/%d/cgroup", root, pid) < 0)
		return NULL;
	lines = fopen(path, "re");
	free(path);
	if (!lines)
		return NULL;
	while (!found && getline(&line, &capacity, lines) > 0) {
		const char *group = group_of_line(line, controller);

		if (group)
			found = strdup(group);
	}
	free(line);
	fclose(lines);
	return found;
}

static const struct cgroup_mount *find_controller(const struct cgroup_mounts *hierarchy, const char *controller)
{
	for (unsigned int i = 0; i < hierarchy->v1_count; i++)
		if (lists(hierarchy->v1[i].controllers, controller))
			return &hierarchy->v1[i];
	return NULL;
}

int cgroup_mounts_memory(const struct cgroup_mounts *hierarchy, pid_t pid, char **ret_directory, char **ret_path)
{
	const struct cgroup_mount *mount = find_controller(hierarchy, "memory");
	char *group = cgroup_mounts_group(hierarchy->root, pid, mount ? "memory" : NULL), *path, *directory;
	const char *below;

	if (!mount)
		mount = &hierarchy->v2;
	below = group ? cgroup_mounts_below(mount->top, group) : NULL;
	if (!below) {
		free(group);
		return -ESRCH;
	}
	path = strdup(below);
	free(group);
	if (!path || asprintf(&directory, "%s%s", hierarchy->root, mount->point) < 0) {
		free(path);
		return -ENOMEM;
	}
	*ret_directory = directory;
	*ret_path = path;
	return 0;
}
