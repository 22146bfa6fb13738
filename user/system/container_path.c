/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/container_path.h"

#include <string.h>

#define ID_LENGTH (CONTAINER_ID_SIZE - 1)

/* What precedes the id, and the runtime that writes it. Groups of monitors (conmon) and of pods have other names. */
static const struct {
	const char *prefix, *runtime;
} prefixes[] = {
	{"libpod-", "podman"}, {"libpod-payload-", "podman"},	  {"docker-", "docker"},
	{"crio-", "cri-o"},    {"cri-containerd-", "containerd"}, {"nerdctl-", "containerd"},
};

static bool is_id(const char *text)
{
	return strspn(text, "0123456789abcdef") >= ID_LENGTH;
}

static bool ends_with(const char *text, size_t length, const char *end)
{
	return length >= strlen(end) && !memcmp(text + length - strlen(end), end, strlen(end));
}

/* The runtime of a bare id, which the groups above tell. NULL: it is a pod, which holds containers. */
static const char *runtime_of_bare(const char *path, size_t parents)
{
	if (ends_with(path, parents, "/libpod_parent"))
		return NULL;
	if (ends_with(path, parents, "/docker"))
		return "docker";
	return memmem(path, parents, "/kubepods", strlen("/kubepods")) ? "kubernetes" : "container";
}

/* The same for one component: it begins after `slash`, an offset into the path, and has `length` bytes. */
static bool component(const char *path, size_t slash, size_t length, char ret_id[CONTAINER_ID_SIZE],
		      const char **ret_runtime)
{
	const char *name = path + slash + 1, *id, *runtime = NULL;

	if (ends_with(name, length, ".scope"))
		length -= strlen(".scope");
	if (length < ID_LENGTH)
		return false;
	id = name + length - ID_LENGTH;
	if (!is_id(id))
		return false;
	if (id == name)
		runtime = runtime_of_bare(path, slash);
	for (unsigned int i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strlen(prefixes[i].prefix) == (size_t)(id - name) &&
		    !memcmp(name, prefixes[i].prefix, (size_t)(id - name)))
			runtime = prefixes[i].runtime;
	if (!runtime)
		return false;
	memcpy(ret_id, id, ID_LENGTH);
	ret_id[ID_LENGTH] = '\0';
	*ret_runtime = runtime;
	return true;
}

bool container_path_last(const char *path, char ret_id[CONTAINER_ID_SIZE], const char **ret_runtime)
{
	const char *slash = strrchr(path, '/');

	return slash && component(path, (size_t)(slash - path), strlen(slash + 1), ret_id, ret_runtime);
}

bool container_path_find(const char *path, char ret_id[CONTAINER_ID_SIZE], const char **ret_runtime)
{
	size_t end = strlen(path);

	while (end) {
		const char *slash = memrchr(path, '/', end);

		if (!slash)
			return false;
		if (component(path, (size_t)(slash - path), end - (size_t)(slash - path) - 1, ret_id, ret_runtime))
			return true;
		end = (size_t)(slash - path);
	}
	return false;
}
