/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/container_runtimes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/directory.h"
#include "base/text.h"
#include "system/cgroup.h"
#include "system/cgroup_mounts.h"
#include "system/container_list.h"
#include "system/container_log.h"
#include "system/container_path.h"
#include "system/shortage.h"

#define JSON_INT_MAX 2147483647.0

/* What is known about all containers of a directory, and the list that they go to. */
struct source {
	struct container_list *list;
	const char *runtime;
	const char *user;
	uid_t uid;  /* of the user, or of root */
	uid_t root; /* who owns this machine: the user of its root directory */
};

/*
 * Call `each` for the entries of the directory at that path but the hidden ones. 0 or negative errno of opening or reading it; a
 * shortage is the list's too, which may lack some then.
 */
static int for_each_in(const char *path,
		       void (*each)(const char *directory, const char *name, const struct source *source),
		       const struct source *source)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int err = dir ? 0 : -errno;

	while (dir && (entry = directory_next(dir, &err)))
		if (entry->d_name[0] != '.')
			each(path, entry->d_name, source);
	if (dir)
		closedir(dir);
	if (shortage_is(err))
		source->list->err = err;
	return err;
}

/* No more than fstat said: the file may grow meanwhile. */
static int parse(const struct source *source, int fd, cJSON **ret_json)
{
	struct stat stat;
	size_t length = 0;
	ssize_t got;
	char *text;

	if (fstat(fd, &stat))
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return -EINVAL;
	if (stat.st_uid != source->root && stat.st_uid != source->uid)
		return -EPERM;
	if (stat.st_size > STATE_FILE_BYTES_MAX)
		return -EFBIG;
	text = malloc((size_t)stat.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (length < (size_t)stat.st_size && (got = read(fd, text + length, (size_t)stat.st_size - length)) > 0)
		length += (size_t)got;
	*ret_json = cJSON_ParseWithLength(text, length);
	free(text);
	return *ret_json ? 0 : -EBADMSG;
}

/*
 * Parse the file at that path; the caller deletes *ret_json. Any user may have written it: regular files only, of limited
 * size, the last component no link; it must be root's, or of the user whose containers it lists. 0, -EBADMSG (no JSON),
 * -EPERM (not his file), or negative errno.
 */
static int read_state(const struct source *source, const char *path, cJSON **ret_json)
{
	int fd, err;

	/* Opening a pipe or a terminal must neither wait nor have an effect. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	err = parse(source, fd, ret_json);
	close(fd);
	if (err == -EPERM)
		container_list_doubt(source->list, path);
	return err;
}

static const char *text_of(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static pid_t pid_of(const cJSON *number)
{
	double value = cJSON_GetNumberValue(number);

	return value > 0 && value <= JSON_INT_MAX ? (pid_t)value : 0;
}

static void docker_container(const char *directory, const char *id, const struct source *source)
{
	char path[PATH_MAX];
	const char *name;
	cJSON *json;

	if (read_state(source, text_path(path, "%s/%s/config.v2.json", directory, id), &json))
		return;
	name = text_of(json, "Name");
	container_list_add(source->list,
			   &(struct container_fact){.id = text_of(json, "ID"),
						    .name = name && *name == '/' ? name + 1 : name,
						    .runtime = source->runtime,
						    .user = source->user,
						    .uid = source->uid,
						    .pid = pid_of(cJSON_GetObjectItemCaseSensitive(
							    cJSON_GetObjectItemCaseSensitive(json, "State"), "Pid"))});
	cJSON_Delete(json);
}

static int podman_file(const struct source *source, const char *path)
{
	const cJSON *container;
	cJSON *json;
	int err = read_state(source, path, &json);

	if (err)
		return err;
	cJSON_ArrayForEach (container, json) {
		const cJSON *names = cJSON_GetObjectItemCaseSensitive(container, "names");

		container_list_add(source->list,
				   &(struct container_fact){.id = text_of(container, "id"),
							    .name = cJSON_GetStringValue(cJSON_GetArrayItem(names, 0)),
							    .runtime = source->runtime,
							    .user = source->user,
							    .uid = source->uid});
	}
	cJSON_Delete(json);
	return 0;
}

/* -EACCES: one of the store's files is there and may not be read. */
static int podman_store(const struct source *source, const char *root, const char *home, const char *store)
{
	static const char *const drivers[] = {"overlay", "vfs", "btrfs", "zfs"};
	static const char *const files[] = {"containers.json", "volatile-containers.json"};
	char path[PATH_MAX];
	int ret = 0;

	for (unsigned int i = 0; i < 8; i++)
		if (podman_file(source, text_path(path, "%s%s%s/%s-containers/%s", root, home, store, drivers[i / 2],
						  files[i % 2])) == -EACCES)
			ret = -EACCES;
	return ret;
}

/* The annotations have the names that users of ctr and nerdctl gave, and those of Kubernetes. */
static void containerd_task(const char *directory, const char *id, const struct source *source)
{
	struct container_fact fact = {.id = id, .runtime = source->runtime};
	cJSON *json = NULL, *pid = NULL;
	char path[PATH_MAX];

	if (!read_state(source, text_path(path, "%s/%s/config.json", directory, id), &json)) {
		const cJSON *notes = cJSON_GetObjectItemCaseSensitive(json, "annotations");

		fact.name = text_of(notes, "nerdctl/name");
		fact.pod = text_of(notes, "io.kubernetes.cri.sandbox-name");
		fact.part = text_of(notes, "io.kubernetes.cri.container-name");
		fact.group = text_of(cJSON_GetObjectItemCaseSensitive(json, "linux"), "cgroupsPath");
	}
	if (!read_state(source, text_path(path, "%s/%s/init.pid", directory, id), &pid))
		fact.pid = pid_of(pid);
	container_list_add(source->list, &fact);
	cJSON_Delete(pid);
	cJSON_Delete(json);
}

static void containerd_namespace(const char *directory, const char *name, const struct source *source)
{
	char path[PATH_MAX];

	for_each_in(text_path(path, "%s/%s", directory, name), containerd_task, source);
}

static void kubernetes_log(const char *directory, const char *name, const struct source *source)
{
	struct container_log log;

	(void)directory;
	if (container_log_parse(name, &log) <= 0)
		return;
	container_list_add(
		source->list,
		&(struct container_fact){.id = log.id, .pod = log.pod, .part = log.part, .runtime = source->runtime});
	free(log.text);
}

/* The containers of one user, who may have written anything there. */
static void load_user(const char *root, uid_t owner, const struct passwd *user, struct container_list *list)
{
	char podman[64 + 256], docker[64 + 256], run[64], path[PATH_MAX];
	struct source source = {
		.list = list, .user = user->pw_name, .uid = user->pw_uid, .root = owner, .runtime = podman};
	bool denied = false;

	snprintf(podman, sizeof(podman), "podman of user %.255s", user->pw_name);
	snprintf(docker, sizeof(docker), "docker of user %.255s", user->pw_name);
	snprintf(run, sizeof(run), "/run/user/%u", user->pw_uid);
	denied |= podman_store(&source, root, user->pw_dir, "/.local/share/containers/storage") == -EACCES;
	denied |= podman_store(&source, root, run, "/containers") == -EACCES;
	source.runtime = docker;
	text_path(path, "%s%s/.local/share/docker/containers", root, user->pw_dir);
	denied |= for_each_in(path, docker_container, &source) == -EACCES;
	if (denied)
		container_list_deny(list, user->pw_name);
}

static void load_users(const char *root, uid_t owner, struct container_list *list)
{
	const struct passwd *user;
	char path[PATH_MAX];
	FILE *users = fopen(text_path(path, "%s/etc/passwd", root), "re");

	while (users && (user = fgetpwent(users)))
		if (user->pw_dir && user->pw_dir[0] == '/')
			load_user(root, owner, user, list);
	if (users)
		fclose(users);
}

/* Root, but of a machine made of files. */
static uid_t owner_of(const char *root)
{
	char path[PATH_MAX];
	struct stat status;

	return stat(text_path(path, "%s/", root), &status) ? 0 : status.st_uid;
}

/* The machine's own come first, since the first is believed; docker before containerd, which runs docker's too. */
void container_runtimes_load(const char *root, struct container_list *list)
{
	static const char *const containerd_roots[] = {"/run", "/run/k3s"};
	uid_t owner = owner_of(root);
	struct source source = {.list = list, .uid = owner, .root = owner, .runtime = "docker"};
	char path[PATH_MAX];

	for_each_in(text_path(path, "%s/var/lib/docker/containers", root), docker_container, &source);
	source.runtime = "podman";
	if (podman_store(&source, root, "", "/var/lib/containers/storage") == -EACCES)
		container_list_deny(list, "root");
	if (podman_store(&source, root, "", "/run/containers/storage") == -EACCES)
		container_list_deny(list, "root");
	source.runtime = "containerd";
	for (unsigned int i = 0; i < 2; i++)
		for_each_in(text_path(path, "%s%s/containerd/io.containerd.runtime.v2.task", root, containerd_roots[i]),
			    containerd_namespace, &source);
	source.runtime = "kubernetes";
	for_each_in(text_path(path, "%s/var/log/containers", root), kubernetes_log, &source);
	load_users(root, owner, list);
}

struct group_walk {
	struct container_list *list;
	const struct cgroup_mounts *mounts;
	size_t skip; /* bytes of a directory's path before that of its group */
};

static int add_group(const char *directory, void *arg)
{
	const struct group_walk *walk = arg;
	char id[CONTAINER_ID_SIZE], group[PATH_MAX];
	struct stat status;
	const char *runtime;

	if (!container_path_last(directory + walk->skip, id, &runtime) || stat(directory, &status))
		return 0;
	text_path(group, "%s%s", walk->mounts->v2.top, directory + walk->skip);
	container_list_add(walk->list, &(struct container_fact){
					       .id = id, .runtime = runtime, .group = group, .owner = status.st_uid});
	return 0;
}

void container_runtimes_load_groups(const struct cgroup_mounts *mounts, struct container_list *list)
{
	struct group_walk walk = {.list = list, .mounts = mounts};
	char top[PATH_MAX];
	int err;

	text_path(top, "%s%s", mounts->root, mounts->v2.point);
	walk.skip = strlen(top);
	err = cgroup_for_each_below(top, add_group, &walk);
	if (shortage_is(err))
		list->err = err;
}
