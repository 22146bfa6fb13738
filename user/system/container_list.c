/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table, and the order in which its sources are asked. Called by container. */
#include "system/container_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/cgroup.h"
#include "system/container.h"
#include "system/cgroup_mounts.h"
#include "system/container_runtimes.h"

#define WORD_MAX 255

/* Longer or stranger names are no runtime's. */
static bool is_word(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return length && length <= WORD_MAX && !text[length] && text[0] != '.' && text[0] != '-';
}

static void learn(struct container_list *container_list, char **known, const char *text, bool is_good)
{
	if (*known || !text || !is_good)
		return;
	*known = strdup(text);
	if (!*known)
		container_list->no_memory = true;
}

static struct container_entry *add_entry(struct container_list *container_list, const char *id)
{
	struct container_entry *entry = calloc(1, sizeof(*entry));

	if (entry)
		entry->id = strdup(id);
	if (!entry || !entry->id) {
		free(entry);
		container_list->no_memory = true;
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, container_list->entries, entry->id, strlen(entry->id), entry);
	return entry;
}

struct container_entry *container_list_find(const struct container_list *container_list, const char *id)
{
	struct container_entry *entry;

	HASH_FIND_STR(container_list->entries, id, entry);
	return entry;
}

void container_list_add(struct container_list *container_list, const struct container_fact *fact)
{
	struct container_entry *entry;

	if (!fact->id || !is_word(fact->id))
		return;
	entry = container_list_find(container_list, fact->id);
	/* Nobody says anything of another's container. */
	if (entry && fact->user && (!entry->user || strcmp(entry->user, fact->user)))
		return;
	if (!entry)
		entry = add_entry(container_list, fact->id);
	if (!entry)
		return;
	learn(container_list, &entry->name, fact->name, fact->name && is_word(fact->name));
	learn(container_list, &entry->pod, fact->pod, fact->pod && is_word(fact->pod));
	learn(container_list, &entry->part, fact->part, fact->part && is_word(fact->part));
	learn(container_list, &entry->user, fact->user, true);
	learn(container_list, &entry->runtime, fact->runtime, true);
	/* Only here the last is believed: the hierarchy itself. */
	if (fact->group && *fact->group == '/') {
		free(entry->group);
		entry->group = NULL;
		learn(container_list, &entry->group, fact->group, true);
	}
	/* A user could name any process as that of his container. */
	if (!entry->pid && !fact->user)
		entry->pid = fact->pid;
}

const char *container_list_name(struct container_entry *entry)
{
	if (!entry->pod || !entry->part)
		return entry->name;
	if (!entry->label && asprintf(&entry->label, "%s/%s", entry->pod, entry->part) < 0)
		entry->label = NULL;
	return entry->label ? entry->label : entry->part;
}

void container_list_deny(struct container_list *container_list, const char *user)
{
	learn(container_list, &container_list->denied_user, user, true);
	container_list->denied_count++;
}

struct group_walk {
	struct container_list *container_list;
	const struct cgroup_mounts *hierarchy;
	size_t skip; /* bytes of a directory's path before that of its group */
};

static int add_group(const char *directory, void *arg)
{
	const struct group_walk *walk = arg;
	char id[CONTAINER_ID_SIZE], *group;
	const char *runtime;

	if (!container_of_last(directory + walk->skip, id, &runtime))
		return 0;
	if (asprintf(&group, "%s%s", walk->hierarchy->v2.top, directory + walk->skip) < 0)
		return -ENOMEM;
	container_list_add(walk->container_list,
			   &(struct container_fact){.id = id, .runtime = runtime, .group = group});
	free(group);
	return 0;
}

/* Groups come last: they say where a container runs, and of one that no file knows that it is there. */
static void add_groups(struct container_list *container_list, const struct cgroup_mounts *hierarchy)
{
	struct group_walk walk = {.container_list = container_list, .hierarchy = hierarchy};
	char *top;

	if (asprintf(&top, "%s%s", hierarchy->root, hierarchy->v2.point) < 0) {
		container_list->no_memory = true;
		return;
	}
	walk.skip = strlen(top);
	if (cgroup_for_each_below(top, add_group, &walk) == -ENOMEM)
		container_list->no_memory = true;
	free(top);
}

int container_list_load(const struct cgroup_mounts *hierarchy, struct container_list *ret_roster)
{
	struct container_list container_list = {0};

	container_runtimes_load(hierarchy->root, &container_list);
	add_groups(&container_list, hierarchy);
	if (container_list.no_memory) {
		container_list_release(&container_list);
		return -ENOMEM;
	}
	*ret_roster = container_list;
	return 0;
}

void container_list_release(struct container_list *container_list)
{
	struct container_entry *entry, *next;

	HASH_ITER (hh, container_list->entries, entry, next) {
		HASH_DEL(container_list->entries, entry);
		free(entry->id);
		free(entry->name);
		free(entry->pod);
		free(entry->part);
		free(entry->runtime);
		free(entry->user);
		free(entry->group);
		free(entry->label);
		free(entry);
	}
	free(container_list->denied_user);
	*container_list = (struct container_list){0};
}
