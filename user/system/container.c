/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing a container by what the user typed, and saying why not. Called by the tracer. */
#include "system/container.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/cgroup.h"
#include "system/cgroup_mounts.h"
#include "system/container_list.h"
#include "system/container_runtimes.h"

#define SHORT_ID       12 /* digits, as runtimes show it */
#define CANDIDATES_MAX 8  /* in a message */

struct matches {
	struct container_entry **entries;
	size_t count;
};

static bool is_called(const struct container_entry *entry, const char *wanted)
{
	const char *slash = strchr(wanted, '/');

	if (slash)
		return entry->pod && entry->part && strlen(entry->pod) == (size_t)(slash - wanted) &&
		       !strncmp(entry->pod, wanted, (size_t)(slash - wanted)) && !strcmp(entry->part, slash + 1);
	return !strcmp(entry->id, wanted) || (entry->name && !strcmp(entry->name, wanted)) ||
	       (entry->part && !strcmp(entry->part, wanted));
}

static bool begins_so(const struct container_entry *entry, const char *wanted)
{
	size_t length = strlen(wanted);

	return strspn(wanted, "0123456789abcdef") == length && !strncmp(entry->id, wanted, length);
}

static int collect(const struct container_list *container_list, const char *wanted,
		   bool (*matches)(const struct container_entry *entry, const char *wanted), struct matches *found)
{
	struct container_entry *entry, *next;

	HASH_ITER (hh, container_list->entries, entry, next) {
		struct container_entry **grown;

		if (!matches(entry, wanted))
			continue;
		grown = realloc(found->entries, (found->count + 1) * sizeof(struct container_entry *));
		if (!grown)
			return -ENOMEM;
		found->entries = grown;
		found->entries[found->count++] = entry;
	}
	return 0;
}

static int check_group(const struct cgroup_mounts *hierarchy, const char *path)
{
	struct cgroup group;
	int err = cgroup_open(hierarchy, path, &group);

	if (err)
		return -ENODATA;
	err = cgroup_check(&group);
	cgroup_release(&group);
	return err == -ENOENT ? -ENODATA : err;
}

/* By its first process: the component with the id in it. For names that container_of_cgroup does not know. */
static int ask_process(const struct cgroup_mounts *hierarchy, const struct container_entry *entry, char **ret_path)
{
	char *path = cgroup_mounts_group(hierarchy->root, entry->pid, NULL), *id;

	if (!path)
		return -ENODATA;
	id = strstr(path, entry->id);
	if (!id) {
		free(path);
		return -ENOTSUP;
	}
	id[strcspn(id, "/")] = '\0';
	*ret_path = path;
	return 0;
}

/* The group it runs in, allocated. */
static int locate(const struct cgroup_mounts *hierarchy, const struct container_entry *entry, char **ret_path)
{
	int err = entry->group ? check_group(hierarchy, entry->group) : -ENODATA;

	if (!err) {
		*ret_path = strdup(entry->group);
		return *ret_path ? 0 : -ENOMEM;
	}
	return entry->pid && err == -ENODATA ? ask_process(hierarchy, entry, ret_path) : err;
}

/* Of several only those that run, if any does. */
static void keep_running(const struct cgroup_mounts *hierarchy, struct matches *found)
{
	size_t running = 0;
	char *path;

	for (size_t i = 0; i < found->count; i++) {
		struct container_entry *entry = found->entries[i];

		if (locate(hierarchy, entry, &path))
			continue;
		free(path);
		found->entries[i] = found->entries[running];
		found->entries[running++] = entry;
	}
	if (running)
		found->count = running;
}

static int fill(struct container_entry *entry, char *group, struct container *ret_container)
{
	const char *name = container_list_name(entry);
	struct container container = {.id = strdup(entry->id),
				      .name = name ? strdup(name) : NULL,
				      .runtime = strdup(entry->runtime ? entry->runtime : "container"),
				      .cgroup = group};

	if (!container.id || !container.runtime || (name && !container.name)) {
		container_release(&container);
		return -ENOMEM;
	}
	*ret_container = container;
	return 0;
}

/* "3f2a… 'web' (docker), ..." */
static char *list(const struct matches *found)
{
	size_t length;
	char *text = NULL;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	for (size_t i = 0; i < found->count && i < CANDIDATES_MAX; i++) {
		struct container_entry *entry = found->entries[i];
		const char *name = container_list_name(entry);

		fprintf(out, "%s%.*s", i ? ", " : "", SHORT_ID, entry->id);
		if (name)
			fprintf(out, " '%s'", name);
		fprintf(out, " (%s)", entry->runtime ? entry->runtime : "container");
	}
	if (found->count > CANDIDATES_MAX)
		fprintf(out, " and %zu more", found->count - CANDIDATES_MAX);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static char *explain_one(const struct container_entry *entry, const char *wanted, int err)
{
	const char *runtime = entry->runtime ? entry->runtime : "container";
	char *why;
	int length;

	if (err == -ENODATA)
		length = asprintf(&why, "container '%s' (%s) is not running; start it first", wanted, runtime);
	else if (err == -ENOTSUP)
		length = asprintf(&why,
				  "container '%s' (%s) has no version 2 cgroup of its own; use -p with its processes",
				  wanted, runtime);
	else
		length = asprintf(&why, "container '%s' (%s) cannot be read: %s", wanted, runtime, strerror(-err));
	return length < 0 ? NULL : why;
}

static char *explain_none(const struct container_list *container_list, const char *wanted, int err)
{
	char *why;
	int length;

	if (err == -EACCES && container_list->denied_count > 1)
		length = asprintf(&why,
				  "no container '%s' was found, but those of user '%s' and %u more may not be read; "
				  "run heaptap as root",
				  wanted, container_list->denied_user, container_list->denied_count - 1);
	else if (err == -EACCES)
		length = asprintf(&why,
				  "no container '%s' was found, but those of user '%s' may not be read; run heaptap as "
				  "root",
				  wanted, container_list->denied_user);
	else
		length = asprintf(
			&why,
			"there is no container '%s'; podman ps, docker ps or crictl ps tell what there is, and "
			"--cgroup takes what they do not",
			wanted);
	return length < 0 ? NULL : why;
}

static char *explain_many(const struct matches *found, const char *wanted)
{
	char *candidates = list(found), *why;

	if (!candidates || asprintf(&why, "container '%s' may be %s; give more of its id", wanted, candidates) < 0)
		why = NULL;
	free(candidates);
	return why;
}

static int choose(const struct cgroup_mounts *hierarchy, const struct container_list *container_list,
		  const char *wanted, struct container *ret_container, char **ret_why)
{
	struct matches found = {0};
	char *group = NULL;
	int err = collect(container_list, wanted, is_called, &found);

	if (!err && found.count > 1)
		keep_running(hierarchy, &found);
	if (!err && !found.count)
		err = collect(container_list, wanted, begins_so, &found);
	if (!err && !found.count) {
		err = container_list->denied_user ? -EACCES : -ENOENT;
		*ret_why = explain_none(container_list, wanted, err);
	} else if (!err && found.count > 1) {
		err = -ENOTUNIQ;
		*ret_why = explain_many(&found, wanted);
	} else if (!err) {
		err = locate(hierarchy, found.entries[0], &group);
		if (err)
			*ret_why = explain_one(found.entries[0], wanted, err);
		else
			err = fill(found.entries[0], group, ret_container);
	}
	free(found.entries);
	return err;
}

/* Anything else is no name of any runtime, and would only spoil the message. */
static bool may_be(const char *wanted)
{
	size_t length = strspn(wanted, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/");

	return length && !wanted[length];
}

int container_find(const struct cgroup_mounts *hierarchy, const char *wanted, struct container *ret_container,
		   char **ret_why)
{
	struct container_list container_list;
	int err;

	*ret_why = NULL;
	if (!may_be(wanted)) {
		*ret_why = strdup("a container's name or id has letters, digits, '.', '_' and '-' only; podman ps and "
				  "docker ps tell them");
		return -EINVAL;
	}
	err = container_list_load(hierarchy, &container_list);
	if (err)
		return err;
	err = choose(hierarchy, &container_list, wanted, ret_container, ret_why);
	container_list_release(&container_list);
	return err;
}

void container_release(struct container *container)
{
	free(container->id);
	free(container->name);
	free(container->runtime);
	free(container->cgroup);
	*container = (struct container){0};
}

struct container_names {
	const struct cgroup_mounts *hierarchy;
	struct container_list container_list;
};

struct container_names *container_names_new(const struct cgroup_mounts *hierarchy)
{
	struct container_names *names = calloc(1, sizeof(*names));

	if (names)
		names->hierarchy = hierarchy;
	return names;
}

void container_names_free(struct container_names *names)
{
	if (!names)
		return;
	container_list_release(&names->container_list);
	free(names);
}

/* Nothing is ever taken out, so that what was handed out stays; an id that nobody knows is booked as that. */
const char *container_names_find(struct container_names *names, const char *id)
{
	struct container_entry *entry = container_list_find(&names->container_list, id);

	if (!entry) {
		container_runtimes_load(names->hierarchy->root, &names->container_list);
		container_list_add(&names->container_list, &(struct container_fact){.id = id});
		entry = container_list_find(&names->container_list, id);
	}
	return entry ? container_list_name(entry) : NULL;
}
