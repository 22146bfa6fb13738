/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A machine made of files, with containers, and the messages when one is looked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host.h"

#include "system/cgroup.h"
#include "system/container.h"
#include "system/container_path.h"

#define V2     "sys/fs/cgroup"
#define PODMAN "var/lib/containers/storage/overlay-containers/containers.json"
#define TASKS  "run/containerd/io.containerd.runtime.v2.task/"

static inline int setup(void **state)
{
	if (host_setup(state) || host_open(HOST_V2))
		return -1;
	host_group(V2, "1\n");
	return 0;
}

static inline void docker(const char *id, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "var/lib/docker/containers/%s/config.v2.json", id);
	host_file(path, "{\"ID\":\"%s\",\"Name\":\"/%s\",\"State\":{\"Running\":true,\"Pid\":70}}", id, name);
}

/* One container of podman's, in a file of its own. */
static inline void podman(const char *path, const char *id, const char *name)
{
	host_file(path, "[{\"id\":\"%s\",\"names\":[\"%s\"],\"layer\":\"x\"}]", id, name);
}

static inline void runs(const char *group)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), V2 "%s", group);
	host_group(path, "70\n");
}

static inline void assert_finds(const char *wanted, const char *id, const char *name, const char *runtime,
				const char *group)
{
	struct container container;
	struct cgroup found;
	char *why = NULL;
	int err = container_find(&host, wanted, &container, &found, &why);

	if (err)
		fail_msg("%s: %d: %s", wanted, err, why ? why : "");
	assert_null(why);
	assert_string_equal(container.id, id);
	if (name)
		assert_string_equal(container.name, name);
	else
		assert_null(container.name);
	assert_string_equal(container.runtime, runtime);
	assert_string_equal(found.path, group);
	cgroup_release(&found);
	container_release(&container);
}

/* Returns the sentence until the next call. */
static inline const char *assert_refuses(const char *wanted, int err)
{
	static char sentence[1024];
	struct container container;
	struct cgroup found;
	char *why = NULL;

	assert_int_equal(container_find(&host, wanted, &container, &found, &why), err);
	assert_non_null(why);
	snprintf(sentence, sizeof(sentence), "%s", why);
	free(why);
	return sentence;
}

static inline void assert_says(const char *wanted, int err, const char *words)
{
	const char *sentence = assert_refuses(wanted, err);

	if (!strstr(sentence, words))
		fail_msg("'%s' is not in: %s", words, sentence);
}
