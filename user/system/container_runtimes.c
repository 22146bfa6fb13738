/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readers of the state files of each runtime. Called by container_list. */
#include "system/container_runtimes.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/container.h"
#include "system/container_list.h"
#include "system/state_file.h"

#define JSON_INT_MAX 2147483647.0

/* Whose files are read, and what their containers are said to run by. */
struct source {
	struct container_list *container_list;
	const char *runtime;
	const char *user;
};

static const char *text_of(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static void docker_container(const char *directory, const char *id, void *arg)
{
	const struct source *source = arg;
	const cJSON *pid;
	const char *name;
	cJSON *json;

	if (state_file_read(&json, "%s/%s/config.v2.json", directory, id))
		return;
	name = text_of(json, "Name");
	pid = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "State"), "Pid");
	container_list_add(source->container_list,
			   &(struct container_fact){.id = text_of(json, "ID"),
						    .name = name && *name == '/' ? name + 1 : name,
						    .runtime = source->runtime,
						    .user = source->user,
						    .pid = cJSON_IsNumber(pid) && pid->valuedouble > 0 &&
									   pid->valuedouble <= JSON_INT_MAX
								   ? (pid_t)pid->valuedouble
								   : 0});
	cJSON_Delete(json);
}

/* -EACCES when it is there and may not be read. */
static int podman_file(const struct source *source, const char *store, const char *driver, const char *file)
{
	const cJSON *container;
	cJSON *json;
	int err = state_file_read(&json, "%s/%s-containers/%s", store, driver, file);

	if (err)
		return err;
	cJSON_ArrayForEach(container, json)
	{
		const cJSON *names = cJSON_GetObjectItemCaseSensitive(container, "names");

		container_list_add(source->container_list,
				   &(struct container_fact){.id = text_of(container, "id"),
							    .name = cJSON_GetStringValue(cJSON_GetArrayItem(names, 0)),
							    .runtime = source->runtime,
							    .user = source->user});
	}
	cJSON_Delete(json);
	return 0;
}

static bool podman_store(const struct source *source, const char *store)
{
	static const char *const drivers[] = {"overlay", "vfs", "btrfs", "zfs"};
	bool denied = false;

	for (unsigned int i = 0; i < sizeof(drivers) / sizeof(*drivers); i++) {
		denied |= podman_file(source, store, drivers[i], "containers.json") == -EACCES;
		denied |= podman_file(source, store, drivers[i], "volatile-containers.json") == -EACCES;
	}
	return !denied;
}

/* A name that ctr's and nerdctl's users gave is in the annotations, as are those of Kubernetes. */
static void containerd_task(const char *directory, const char *id, void *arg)
{
	const struct source *source = arg;
	struct container_fact fact = {.id = id, .runtime = source->runtime};
	cJSON *json = NULL;

	if (!state_file_read(&json, "%s/%s/config.json", directory, id)) {
		const cJSON *notes = cJSON_GetObjectItemCaseSensitive(json, "annotations");

		fact.name = text_of(notes, "nerdctl/name");
		fact.pod = text_of(notes, "io.kubernetes.cri.sandbox-name");
		fact.part = text_of(notes, "io.kubernetes.cri.container-name");
		fact.group = text_of(cJSON_GetObjectItemCaseSensitive(json, "linux"), "cgroupsPath");
	}
	fact.pid = state_file_read_pid("%s/%s/init.pid", directory, id);
	container_list_add(source->container_list, &fact);
	cJSON_Delete(json);
}

static void containerd_namespace(const char *directory, const char *name, void *arg)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path))
		state_file_for_each(path, containerd_task, arg);
}

/* POD_NAMESPACE_CONTAINER-ID.log: no name of Kubernetes has an underscore. */
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
			container_list_add(
				source->container_list,
				&(struct container_fact){
					.id = dash + 1, .pod = pod, .part = part, .runtime = source->runtime});
	}
	free(copy);
}

/* The containers of one user, who may keep what he likes there. */
static void load_user(const char *root, const struct passwd *user, struct container_list *container_list)
{
	char path[PATH_MAX], podman[64 + 256], docker[64 + 256];
	struct source source = {.container_list = container_list, .user = user->pw_name, .runtime = podman};
	bool readable = true;

	snprintf(podman, sizeof(podman), "podman of user %.255s", user->pw_name);
	snprintf(docker, sizeof(docker), "docker of user %.255s", user->pw_name);
	if (snprintf(path, sizeof(path), "%s%s/.local/share/containers/storage", root, user->pw_dir) < PATH_MAX)
		readable &= podman_store(&source, path);
	if (snprintf(path, sizeof(path), "%s/run/user/%u/containers", root, user->pw_uid) < PATH_MAX)
		readable &= podman_store(&source, path);
	source.runtime = docker;
	if (snprintf(path, sizeof(path), "%s%s/.local/share/docker/containers", root, user->pw_dir) < PATH_MAX)
		readable &= state_file_for_each(path, docker_container, &source) != -EACCES;
	if (!readable)
		container_list_deny(container_list, user->pw_name);
}

static void load_users(const char *root, struct container_list *container_list)
{
	const struct passwd *user;
	char path[PATH_MAX];
	FILE *users;

	if (snprintf(path, sizeof(path), "%s/etc/passwd", root) >= PATH_MAX)
		return;
	users = fopen(path, "re");
	while (users && (user = fgetpwent(users)))
		if (user->pw_dir && user->pw_dir[0] == '/')
			load_user(root, user, container_list);
	if (users)
		fclose(users);
}

/* Call `each` for what is in a directory of the machine. */
static void load(const char *root, const char *directory, struct source source,
		 void (*each)(const char *directory, const char *name, void *arg))
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s%s", root, directory) < PATH_MAX)
		state_file_for_each(path, each, &source);
}

/* The machine's own first, since who comes first is believed; docker before containerd, which runs docker's too. */
void container_runtimes_load(const char *root, struct container_list *container_list)
{
	const struct source docker = {.container_list = container_list, .runtime = "docker"};
	const struct source podman = {.container_list = container_list, .runtime = "podman"};
	const struct source containerd = {.container_list = container_list, .runtime = "containerd"};
	const struct source kubernetes = {.container_list = container_list, .runtime = "kubernetes"};
	static const char *const stores[] = {"/var/lib/containers/storage", "/run/containers/storage"};
	char path[PATH_MAX];

	load(root, "/var/lib/docker/containers", docker, docker_container);
	for (unsigned int i = 0; i < sizeof(stores) / sizeof(*stores); i++)
		if (snprintf(path, sizeof(path), "%s%s", root, stores[i]) < PATH_MAX && !podman_store(&podman, path))
			container_list_deny(container_list, "root");
	load(root, "/run/containerd/io.containerd.runtime.v2.task", containerd, containerd_namespace);
	load(root, "/run/k3s/containerd/io.containerd.runtime.v2.task", containerd, containerd_namespace);
	load(root, "/var/log/containers", kubernetes, kubernetes_log);
	load_users(root, container_list);
}
