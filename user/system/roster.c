/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table, and the order in which its sources are asked. Called by container. */
#include "system/roster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/cgroup.h"
#include "system/container.h"
#include "system/hierarchy.h"
#include "system/runtime.h"

#define WORD_MAX 255

/* Longer or stranger names are no runtime's. */
static bool is_word(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return length && length <= WORD_MAX && !text[length] && text[0] != '.' && text[0] != '-';
}

static void learn(struct roster *roster, char **known, const char *text, bool is_good)
{
	if (*known || !text || !is_good)
		return;
	*known = strdup(text);
	if (!*known)
		roster->no_memory = true;
}

static struct roster_entry *add_entry(struct roster *roster, const char *id)
{
	struct roster_entry *entry = calloc(1, sizeof(*entry));

	if (entry)
		entry->id = strdup(id);
	if (!entry || !entry->id) {
		free(entry);
		roster->no_memory = true;
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, roster->entries, entry->id, strlen(entry->id), entry);
	return entry;
}

struct roster_entry *roster_find(const struct roster *roster, const char *id)
{
	struct roster_entry *entry;

	HASH_FIND_STR(roster->entries, id, entry);
	return entry;
}

void roster_add(struct roster *roster, const struct roster_fact *fact)
{
	struct roster_entry *entry;

	if (!fact->id || !is_word(fact->id))
		return;
	entry = roster_find(roster, fact->id);
	/* Nobody says anything of another's container. */
	if (entry && fact->user && (!entry->user || strcmp(entry->user, fact->user)))
		return;
	if (!entry)
		entry = add_entry(roster, fact->id);
	if (!entry)
		return;
	learn(roster, &entry->name, fact->name, fact->name && is_word(fact->name));
	learn(roster, &entry->pod, fact->pod, fact->pod && is_word(fact->pod));
	learn(roster, &entry->part, fact->part, fact->part && is_word(fact->part));
	learn(roster, &entry->user, fact->user, true);
	learn(roster, &entry->runtime, fact->runtime, true);
	/* Only here the last is believed: the hierarchy itself. */
	if (fact->group && *fact->group == '/') {
		free(entry->group);
		entry->group = NULL;
		learn(roster, &entry->group, fact->group, true);
	}
	/* A user could name any process as that of his container. */
	if (!entry->pid && !fact->user)
		entry->pid = fact->pid;
}

const char *roster_name(struct roster_entry *entry)
{
	if (!entry->pod || !entry->part)
		return entry->name;
	if (!entry->label && asprintf(&entry->label, "%s/%s", entry->pod, entry->part) < 0)
		entry->label = NULL;
	return entry->label ? entry->label : entry->part;
}

void roster_deny(struct roster *roster, const char *user)
{
	learn(roster, &roster->denied_user, user, true);
	roster->denied_count++;
}

struct group_walk {
	struct roster *roster;
	const struct hierarchy *hierarchy;
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
	roster_add(walk->roster, &(struct roster_fact){.id = id, .runtime = runtime, .group = group});
	free(group);
	return 0;
}

/* Groups come last: they say where a container runs, and of one that no file knows that it is there. */
static void add_groups(struct roster *roster, const struct hierarchy *hierarchy)
{
	struct group_walk walk = {.roster = roster, .hierarchy = hierarchy};
	char *top;

	if (asprintf(&top, "%s%s", hierarchy->root, hierarchy->v2.point) < 0) {
		roster->no_memory = true;
		return;
	}
	walk.skip = strlen(top);
	if (cgroup_for_each_below(top, add_group, &walk) == -ENOMEM)
		roster->no_memory = true;
	free(top);
}

int roster_load(const struct hierarchy *hierarchy, struct roster *ret_roster)
{
	struct roster roster = {0};

	runtime_load(hierarchy->root, &roster);
	add_groups(&roster, hierarchy);
	if (roster.no_memory) {
		roster_release(&roster);
		return -ENOMEM;
	}
	*ret_roster = roster;
	return 0;
}

void roster_release(struct roster *roster)
{
	struct roster_entry *entry, *next;

	HASH_ITER (hh, roster->entries, entry, next) {
		HASH_DEL(roster->entries, entry);
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
	free(roster->denied_user);
	*roster = (struct roster){0};
}
