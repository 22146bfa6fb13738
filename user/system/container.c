/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/container.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/text.h"
#include "system/cgroup.h"
#include "system/cgroup_mounts.h"
#include "system/container_list.h"
#include "system/container_runtimes.h"
#include "system/error_sentence.h"

#define SHORT_ID       12 /* digits, as runtimes show it */
#define CANDIDATES_MAX 8  /* in a message */

static const struct error_sentence sentences[] = {
	{-EINVAL,
	 "a container's name or id has letters, digits, '.', '_' and '-' only; podman ps and docker ps tell them"},
	{-ENOENT,
	 "there is no container '%s'; podman ps, docker ps or crictl ps tell what there is, and --cgroup takes what they do not"},
	{-EACCES,
	 "no container '%s' was found, but those of %s may not be read; run heaptap as root, or with CAP_DAC_READ_SEARCH"},
	{-EKEYREJECTED,
	 "container '%s' is so called by user '%s' alone, and belongs to someone else; only state files of root or of a "
	 "container's owner count; use its id"},
	{-EBADF,
	 "no container '%s' was found; state file '%s' does not count, since it is neither root's nor of the user whose "
	 "containers it lists"},
	{-ENOTUNIQ, "container '%s' may be %s; give more of its id"},
	{-ENODATA, "container '%s' (%s) is not running; start it first"},
	{-ENOTSUP, "container '%s' (%s) has no version 2 cgroup of its own; use -p with its processes"},
	{-ESTALE, "container '%s' (%s): its cgroup is gone; is it being stopped?"},
	{0, "container '%s' (%s) cannot be read: %s"},
};

struct matches {
	struct container_entry **entries;
	size_t count;
};

static bool has_name(const struct container_entry *entry, const char *wanted)
{
	const char *slash = strchr(wanted, '/');

	if (slash)
		return entry->pod && entry->part && strlen(entry->pod) == (size_t)(slash - wanted) &&
		       !strncmp(entry->pod, wanted, (size_t)(slash - wanted)) && !strcmp(entry->part, slash + 1);
	return (entry->name && !strcmp(entry->name, wanted)) || (entry->part && !strcmp(entry->part, wanted));
}

static bool is_called(const struct container_entry *entry, const char *wanted)
{
	return !strcmp(entry->id, wanted) || (!entry->foreign && has_name(entry, wanted));
}

static bool is_pretended(const struct container_entry *entry, const char *wanted)
{
	return entry->foreign && has_name(entry, wanted);
}

static bool begins_so(const struct container_entry *entry, const char *wanted)
{
	size_t length = strlen(wanted);

	return strspn(wanted, "0123456789abcdef") == length && !strncmp(entry->id, wanted, length);
}

static int collect(const struct container_list *list, const char *wanted,
		   bool (*matches)(const struct container_entry *entry, const char *wanted), struct matches *found)
{
	struct container_entry *entry, *next;

	HASH_ITER (hh, list->entries, entry, next) {
		if (!matches(entry, wanted))
			continue;
		if (array_grow(&found->entries, found->count, 1))
			return -ENOMEM;
		found->entries[found->count++] = entry;
	}
	return 0;
}

static int open_running(const struct cgroup_mounts *mounts, const char *path, struct cgroup *ret_group)
{
	int err = cgroup_open(mounts, path, ret_group);

	if (err)
		return -ENODATA;
	err = cgroup_check(ret_group);
	if (err)
		cgroup_release(ret_group);
	return err == -ENOENT ? -ENODATA : err == -EACCES ? -EPERM : err;
}

/* The group of its first process, up to the component with the id. For names that container_path_find does not know. */
static int open_by_process(const struct cgroup_mounts *mounts, const struct container_entry *entry,
			   struct cgroup *ret_group)
{
	char *path = cgroup_mounts_group(mounts->root, entry->pid, NULL), *id = path ? strstr(path, entry->id) : NULL;
	int err = !path ? -ENODATA : -ENOTSUP;

	if (id) {
		id[strcspn(id, "/")] = '\0';
		err = cgroup_open(mounts, path, ret_group) ? -ESTALE : 0;
	}
	free(path);
	return err;
}

/* The group that it runs in. */
static int open_group(const struct cgroup_mounts *mounts, const struct container_entry *entry, struct cgroup *ret_group)
{
	int err = entry->group ? open_running(mounts, entry->group, ret_group) : -ENODATA;

	return entry->pid && err == -ENODATA ? open_by_process(mounts, entry, ret_group) : err;
}

/* Only those that run, if any does. */
static void keep_running(const struct cgroup_mounts *mounts, struct matches *found)
{
	struct cgroup group;
	size_t running = 0;

	for (size_t i = 0; i < found->count; i++) {
		struct container_entry *entry = found->entries[i];

		if (open_group(mounts, entry, &group))
			continue;
		cgroup_release(&group);
		found->entries[i] = found->entries[running];
		found->entries[running++] = entry;
	}
	if (running)
		found->count = running;
}

static const char *runtime_of(const struct container_entry *entry)
{
	return entry->runtime ? entry->runtime : "container";
}

static int fill(struct container_entry *entry, struct container *ret_container)
{
	*ret_container = (struct container){0};
	if (!text_copy(entry->id, &ret_container->id) && !text_copy(container_list_name(entry), &ret_container->name) &&
	    !text_copy(runtime_of(entry), &ret_container->runtime))
		return 0;
	container_release(ret_container);
	return -ENOMEM;
}

/* "3f2a… 'web' (docker), ..." */
static char *candidates(const struct matches *found)
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
		fprintf(out, " (%s)", runtime_of(entry));
	}
	if (found->count > CANDIDATES_MAX)
		fprintf(out, " and %zu more", found->count - CANDIDATES_MAX);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* "user 'bob'", "user 'bob' and 2 more" */
static char *denied_users(const struct container_list *list)
{
	char *text;
	int length = list->denied_count > 1
			     ? asprintf(&text, "user '%s' and %u more", list->denied_user, list->denied_count - 1)
			     : asprintf(&text, "user '%s'", list->denied_user);

	return length < 0 ? NULL : text;
}

/* `detail` is freed; NULL: none, or no memory. */
static char *explain(int err, const char *wanted, char *detail)
{
	char *why = error_sentence(sentences, err, wanted, detail ? detail : "");

	free(detail);
	return why;
}

/* Nothing is called so: why? */
static int none(const struct container_list *list, const char *wanted, struct matches *found, char **ret_why)
{
	int err = collect(list, wanted, is_pretended, found);

	if (err)
		return err;
	err = found->count ? -EKEYREJECTED : list->denied_user ? -EACCES : list->strange ? -EBADF : -ENOENT;
	*ret_why = explain(err, wanted,
			   found->count	       ? strdup(found->entries[0]->user)
			   : list->denied_user ? denied_users(list)
			   : list->strange     ? strdup(list->strange)
					       : NULL);
	return err;
}

static int choose(const struct cgroup_mounts *mounts, const struct container_list *list, const char *wanted,
		  struct matches *found, char **ret_why)
{
	int err = collect(list, wanted, is_called, found);

	if (!err && found->count > 1)
		keep_running(mounts, found);
	if (!err && !found->count)
		err = collect(list, wanted, begins_so, found);
	if (err || found->count == 1)
		return err;
	if (found->count) {
		*ret_why = explain(-ENOTUNIQ, wanted, candidates(found));
		return -ENOTUNIQ;
	}
	return none(list, wanted, found, ret_why);
}

static int find_in(const struct cgroup_mounts *mounts, const struct container_list *list, const char *wanted,
		   struct container *ret_container, struct cgroup *ret_group, char **ret_why)
{
	struct matches found = {0};
	int err = choose(mounts, list, wanted, &found, ret_why);

	if (!err) {
		err = open_group(mounts, found.entries[0], ret_group);
		if (err)
			*ret_why = explain(err, wanted, strdup(runtime_of(found.entries[0])));
		else
			err = fill(found.entries[0], ret_container);
		if (err)
			cgroup_release(ret_group);
	}
	free(found.entries);
	return err;
}

/* Other characters are in no name of any runtime, and would spoil the message. */
static bool may_be(const char *wanted)
{
	size_t length = strspn(wanted, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/");

	return length && !wanted[length];
}

int container_find(const struct cgroup_mounts *mounts, const char *wanted, struct container *ret_container,
		   struct cgroup *ret_group, char **ret_why)
{
	struct container_list list = {0};
	int err;

	*ret_group = (struct cgroup){0};
	*ret_why = NULL;
	if (!may_be(wanted)) {
		*ret_why = explain(-EINVAL, wanted, NULL);
		return -EINVAL;
	}
	container_runtimes_load(mounts->root, &list);
	container_runtimes_load_groups(mounts, &list);
	err = list.err ? list.err : find_in(mounts, &list, wanted, ret_container, ret_group, ret_why);
	container_list_release(&list);
	return err;
}

void container_release(struct container *container)
{
	free(container->id);
	free(container->name);
	free(container->runtime);
	*container = (struct container){0};
}

struct container_names {
	const struct cgroup_mounts *mounts;
	struct container_list list;
};

struct container_names *container_names_new(const struct cgroup_mounts *mounts)
{
	struct container_names *names = calloc(1, sizeof(*names));

	if (names)
		names->mounts = mounts;
	return names;
}

void container_names_free(struct container_names *names)
{
	if (!names)
		return;
	container_list_release(&names->list);
	free(names);
}

/* Entries stay, since their names were handed out; an unknown id gets one without a name. */
/* Does the container in that group belong to the user whose files alone name it? */
static bool is_own(const struct container_names *names, const struct container_entry *entry, const char *group)
{
	const char *id = group ? strstr(group, entry->id) : NULL;
	char *path = id ? strndup(group, (size_t)(id - group) + strcspn(id, "/")) : NULL;
	char *directory = path ? cgroup_mounts_directory(names->mounts, path) : NULL;
	struct stat status;
	bool own = directory && !stat(directory, &status) && status.st_uid == entry->uid;

	free(directory);
	free(path);
	return own;
}

const char *container_names_find(struct container_names *names, const char *id, const char *group)
{
	struct container_entry *entry = container_list_find(&names->list, id);

	if (!entry) {
		container_runtimes_load(names->mounts->root, &names->list);
		container_list_add(&names->list, &(struct container_fact){.id = id});
		entry = container_list_find(&names->list, id);
	}
	if (!entry || (entry->user && !is_own(names, entry, group)))
		return NULL;
	return container_list_name(entry);
}
