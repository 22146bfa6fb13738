/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/cgroup_resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "system/cgroup.h"
#include "system/cgroup_mounts.h"
#include "system/error_sentence.h"

static const struct error_sentence sentences[] = {
	{-EINVAL, "'%s' cannot be a cgroup: give its path without '..', as /proc/PID/cgroup has it"},
	{-ENODATA, "there is no process in cgroup '%s' nor below it; start one first"},
	{-ENOTUNIQ,
	 "cgroup '%s' is one of version 1 whose processes are in several of version 2; give one of those, as the line '0::' in /proc/PID/cgroup has it"},
	{-ENOTSUP, "cgroup '%s' is one of version 1 whose processes are in none of version 2; use -p or --all"},
	{-ENOENT, "there is no cgroup '%s'; look for it below %s"},
	{0, "cgroup '%s' cannot be read: %s"},
};

/* "/a/b" for "a//./b/": no slash at the end, "" for the top. NULL with errno: empty, or with "..". */
static char *normalize(const char *wanted)
{
	char *words = strdup(wanted), *path = calloc(1, strlen(wanted) + 2), *word, *save, *end = path;

	if (!words || !path)
		goto fail;
	errno = EINVAL;
	if (!*wanted)
		goto fail;
	for (word = strtok_r(words, "/", &save); word; word = strtok_r(NULL, "/", &save)) {
		if (!strcmp(word, ".."))
			goto fail;
		if (!strcmp(word, "."))
			continue;
		*end++ = '/';
		end = stpcpy(end, word);
	}
	free(words);
	return path;
fail:
	free(words);
	free(path);
	return NULL;
}

/* The lowest group that holds all processes seen so far. */
struct common {
	const struct cgroup_mounts *mounts;
	char *path;
	bool differ;
};

static int narrow(pid_t pid, void *arg)
{
	struct common *common = arg;
	char *path = cgroup_mounts_group(common->mounts->root, pid, NULL);

	if (!path)
		return 0;
	if (!common->path) {
		common->path = path;
		return 0;
	}
	while (*common->path && !cgroup_mounts_below(common->path, path)) {
		common->differ = true;
		*strrchr(common->path, '/') = '\0';
	}
	free(path);
	return 0;
}

/* From a directory of version 1 to a path of version 2, allocated. */
static int translate(const struct cgroup_mounts *mounts, const char *directory, char **ret_path)
{
	struct common common = {.mounts = mounts};
	int err = cgroup_for_each_process(directory, narrow, &common, NULL);

	if (!err && !common.path)
		err = -ENODATA;
	else if (!err && (!*common.path || !strcmp(common.path, "/")))
		err = common.differ ? -ENOTUNIQ : -ENOTSUP;
	if (err)
		free(common.path);
	else
		*ret_path = common.path;
	return err;
}

/* The group of version 2 for the directory `below` of a mount of version 1. */
static int from_v1(const struct cgroup_mounts *mounts, const struct cgroup_mount *mount, const char *below,
		   char **ret_path)
{
	char directory[PATH_MAX];

	text_path(directory, "%s%s%s", mounts->root, mount->point, below);
	return cgroup_id(directory) ? translate(mounts, directory, ret_path) : -ENOENT;
}

static int join(const char *top, const char *below, char **ret_path)
{
	return asprintf(ret_path, "%s%s", top, below) < 0 ? -ENOMEM : 0;
}

/* A directory below one of the mounts; -EXDEV: it is not. Where mounts are nested, the innermost one counts. */
static int by_directory(const struct cgroup_mounts *mounts, const char *path, char **ret_path)
{
	const char *shortest = cgroup_mounts_below(mounts->v2.point, path);
	const struct cgroup_mount *v1 = NULL;

	for (unsigned int i = 0; i < mounts->v1_count; i++) {
		const char *below = cgroup_mounts_below(mounts->v1[i].point, path);

		if (below && (!shortest || strlen(below) < strlen(shortest))) {
			shortest = below;
			v1 = &mounts->v1[i];
		}
	}
	if (!shortest)
		return -EXDEV;
	return v1 ? from_v1(mounts, v1, shortest, ret_path) : join(mounts->v2.top, shortest, ret_path);
}

/* A path of version 2, or, if that has no such group, of a controller of version 1. */
static int by_name(const struct cgroup_mounts *mounts, const char *path, char **ret_path)
{
	char *directory = cgroup_mounts_directory(mounts, path);
	int err = directory && cgroup_id(directory) ? join("", path, ret_path) : -ENOENT;

	free(directory);
	for (unsigned int i = 0; err == -ENOENT && i < mounts->v1_count; i++) {
		const char *below = cgroup_mounts_below(mounts->v1[i].top, path);

		if (below)
			err = from_v1(mounts, &mounts->v1[i], below, ret_path);
	}
	return err;
}

/* /sys/fs/cgroup/cpu is a link to cpu,cpuacct on many hosts. NULL: no such file. */
static char *follow_links(const struct cgroup_mounts *mounts, const char *path)
{
	char full[PATH_MAX], *below = NULL;
	char *real = realpath(text_path(full, "%s%s", mounts->root, path), NULL);

	if (real && cgroup_mounts_below(mounts->root, real))
		below = strdup(cgroup_mounts_below(mounts->root, real));
	free(real);
	return below;
}

static int resolve(const struct cgroup_mounts *mounts, const char *wanted, char **ret_path)
{
	char *path = normalize(wanted), *real;
	int err;

	if (!path)
		return -errno;
	err = by_directory(mounts, path, ret_path);
	if (err == -EXDEV)
		err = by_name(mounts, path, ret_path);
	if (err == -ENOENT && *wanted == '/' && (real = follow_links(mounts, path))) {
		err = by_directory(mounts, real, ret_path);
		err = err == -EXDEV ? -ENOENT : err;
		free(real);
	}
	free(path);
	return err;
}

int cgroup_resolve(const struct cgroup_mounts *mounts, const char *wanted, struct cgroup *ret_group, char **ret_why)
{
	struct cgroup group = {0};
	char *path = NULL;
	int err = resolve(mounts, wanted, &path);

	if (!err)
		err = cgroup_open(mounts, path, &group);
	if (!err)
		err = cgroup_check(&group);
	free(path);
	if (err) {
		cgroup_release(&group);
		*ret_why = error_sentence(sentences, err, wanted, err == -ENOENT ? mounts->v2.point : strerror(-err));
		return err;
	}
	*ret_group = group;
	return 0;
}
