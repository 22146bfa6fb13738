/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/container_runtimes.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/cgroup.h"
#include "system/cgroup_mounts.h"
#include "system/container_list.h"
#include "system/container_path.h"
#include "system/state_file.h"

#define JSON_INT_MAX 2147483647.0

/* What is known about all containers of a directory, and the list that they go to. */
struct source {
	struct container_list *list;
	const char *runtime;
	const char *user;
};

static const char *text_of(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static pid_t pid_of(const cJSON *number)
{
	bool fits = cJSON_IsNumber(number) && number->valuedouble > 0 && number->valuedouble <= JSON_INT_MAX;

	return fits ? (pid_t)number->valuedouble : 0;
}

static void docker_container(const char *directory, const char *id, void *arg)
{
	const struct source *source = arg;
	const char *name;
	cJSON *json;

	if (state_file_read(&json, "%s/%s/config.v2.json", directory, id))
		return;
	name = text_of(json, "Name");
	container_list_add(source->list,
			   &(struct container_fact){.id = text_of(json, "ID"),
						    .name = name && *name == '/' ? name + 1 : name,
						    .runtime = source->runtime,
						    .user = source->user,
						    .pid = pid_of(cJSON_GetObjectItemCaseSensitive(
							    cJSON_GetObjectItemCaseSensitive(json, "State"), "Pid"))});
	cJSON_Delete(json);
}

static int podman_file(const struct source *source, const char *path)
{
	const cJSON *container;
	cJSON *json;
	int err = state_file_read(&json, "%s", path);

	if (err)
		return err;
	cJSON_ArrayForEach (container, json) {
		const cJSON *names = cJSON_GetObjectItemCaseSensitive(container, "names");

		container_list_add(source->list,
				   &(struct container_fact){.id = text_of(container, "id"),
							    .name = cJSON_GetStringValue(cJSON_GetArrayItem(names, 0)),
							    .runtime = source->runtime,
							    .user = source->user});
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
		if (snprintf(path, sizeof(path), "%s%s%s/%s-containers/%s", root, home, store, drivers[i / 2],
			     files[i % 2]) < PATH_MAX &&
		    podman_file(source, path) == -EACCES)
			ret = -EACCES;
	return ret;
}

/* The annotations have the names that users of ctr and nerdctl gave, and those of Kubernetes. */
static void containerd_task(const char *directory, const char *id, void *arg)
{
	const struct source *source = arg;
	struct container_fact fact = {.id = id, .runtime = source->runtime};
	cJSON *json = NULL, *pid = NULL;

	if (!state_file_read(&json, "%s/%s/config.json", directory, id)) {
		const cJSON *notes = cJSON_GetObjectItemCaseSensitive(json, "annotations");

		fact.name = text_of(notes, "nerdctl/name");
		fact.pod = text_of(notes, "io.kubernetes.cri.sandbox-name");
		fact.part = text_of(notes, "io.kubernetes.cri.container-name");
		fact.group = text_of(cJSON_GetObjectItemCaseSensitive(json, "linux"), "cgroupsPath");
	}
	if (!state_file_read(&pid, "%s/%s/init.pid", directory, id))
		fact.pid = pid_of(pid);
	container_list_add(source->list, &fact);
	cJSON_Delete(pid);
	cJSON_Delete(json);
}

static void containerd_namespace(const char *directory, const char *name, void *arg)
{
	state_file_for_each(containerd_task, arg, "%s/%s", directory, name);
}

/* POD_NAMESPACE_CONTAINER-ID.log, where no name may have an underscore. */
static void kubernetes_log(const char *directory, const char *name, void *arg)
{
	const struct source *source = arg;
	char *copy = strdup(name), *dash = copy ? strrchr(copy, '-') : NULL, *pod, *space, *part, *save;

	(void)directory;
	if (dash && strlen(dash + 1) == CONTAINER_ID_SIZE - 1 + strlen(".log")) {
		*dash = dash[CONTAINER_ID_SIZE] = '\0';
		pod = strtok_r(copy, "_", &save);
		space = strtok_r(NULL, "_", &save);
		part = strtok_r(NULL, "_", &save);
		if (pod && space && part)
			container_list_add(source->list, &(struct container_fact){.id = dash + 1,
										  .pod = pod,
										  .part = part,
										  .runtime = source->runtime});
	}
	free(copy);
}

/* The containers of one user, who may have written anything there. */
static void load_user(const char *root, const struct passwd *user, struct container_list *list)
{
	char podman[64 + 256], docker[64 + 256], run[64];
	struct source source = {.list = list, .user = user->pw_name, .runtime = podman};
	bool denied = false;

	snprintf(podman, sizeof(podman), "podman of user %.255s", user->pw_name);
	snprintf(docker, sizeof(docker), "docker of user %.255s", user->pw_name);
	snprintf(run, sizeof(run), "/run/user/%u", user->pw_uid);
	denied |= podman_store(&source, root, user->pw_dir, "/.local/share/containers/storage") == -EACCES;
	denied |= podman_store(&source, root, run, "/containers") == -EACCES;
	source.runtime = docker;
	denied |= state_file_for_each(docker_container, &source, "%s%s/.local/share/docker/containers", root,
				      user->pw_dir) == -EACCES;
	if (denied)
		container_list_deny(list, user->pw_name);
}

static void load_users(const char *root, struct container_list *list)
{
	const struct passwd *user;
	char path[PATH_MAX];
	FILE *users;

	if (snprintf(path, sizeof(path), "%s/etc/passwd", root) >= PATH_MAX)
		return;
	users = fopen(path, "re");
	while (users && (user = fgetpwent(users)))
		if (user->pw_dir && user->pw_dir[0] == '/')
			load_user(root, user, list);
	if (users)
		fclose(users);
}

/* The machine's own come first, since the first is believed; docker before containerd, which runs docker's too. */
void container_runtimes_load(const char *root, struct container_list *list)
{
	static const char *const containerd_roots[] = {"/run", "/run/k3s"};
	struct source source = {.list = list, .runtime = "docker"};

	state_file_for_each(docker_container, &source, "%s/var/lib/docker/containers", root);
	source.runtime = "podman";
	if (podman_store(&source, root, "", "/var/lib/containers/storage") == -EACCES)
		container_list_deny(list, "root");
	if (podman_store(&source, root, "", "/run/containers/storage") == -EACCES)
		container_list_deny(list, "root");
	source.runtime = "containerd";
	for (unsigned int i = 0; i < 2; i++)
		state_file_for_each(containerd_namespace, &source, "%s%s/containerd/io.containerd.runtime.v2.task",
				    root, containerd_roots[i]);
	source.runtime = "kubernetes";
	state_file_for_each(kubernetes_log, &source, "%s/var/log/containers", root);
	load_users(root, list);
}

struct group_walk {
	struct container_list *list;
	const struct cgroup_mounts *mounts;
	size_t skip; /* bytes of a directory's path before that of its group */
};

static int add_group(const char *directory, void *arg)
{
	const struct group_walk *walk = arg;
	char id[CONTAINER_ID_SIZE], *group;
	const char *runtime;

	if (!container_path_last(directory + walk->skip, id, &runtime))
		return 0;
	if (asprintf(&group, "%s%s", walk->mounts->v2.top, directory + walk->skip) < 0)
		return -ENOMEM;
	container_list_add(walk->list, &(struct container_fact){.id = id, .runtime = runtime, .group = group});
	free(group);
	return 0;
}

void container_runtimes_load_groups(const struct cgroup_mounts *mounts, struct container_list *list)
{
	struct group_walk walk = {.list = list, .mounts = mounts};
	char *top;

	if (asprintf(&top, "%s%s", mounts->root, mounts->v2.point) < 0) {
		list->no_memory = true;
		return;
	}
	walk.skip = strlen(top);
	if (cgroup_for_each_below(top, add_group, &walk) == -ENOMEM)
		list->no_memory = true;
	free(top);
}
