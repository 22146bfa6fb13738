/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/container_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 255

/* `text`, or NULL where it is too long or strange to be a runtime's name. */
static const char *word(const char *text)
{
	size_t length;

	if (!text || *text == '.' || *text == '-')
		return NULL;
	length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	return length && length <= WORD_MAX && !text[length] ? text : NULL;
}

static void learn(struct container_list *list, char **known, const char *text)
{
	if (*known || !text)
		return;
	*known = strdup(text);
	if (!*known)
		list->err = -ENOMEM;
}

static struct container_entry *add_entry(struct container_list *list, const char *id)
{
	struct container_entry *entry = calloc(1, sizeof(*entry));

	if (entry)
		entry->id = strdup(id);
	if (entry && entry->id)
		HASH_ADD_KEYPTR(hh, list->entries, entry->id, strlen(entry->id), entry);
	if (entry && hash_added(&entry->hh))
		return entry;
	if (entry)
		free(entry->id);
	free(entry);
	list->err = -ENOMEM;
	return NULL;
}

struct container_entry *container_list_find(const struct container_list *list, const char *id)
{
	struct container_entry *entry;

	HASH_FIND_STR(list->entries, id, entry);
	return entry;
}

/* By the group's directory: a runtime makes it as the user whose container it is, and nobody can give his to another. */
static void check_owner(struct container_list *list, struct container_entry *entry, const struct container_fact *fact)
{
	entry->foreign = entry->user && fact->owner != entry->uid;
	if (!entry->foreign)
		return;
	free(entry->runtime);
	entry->runtime = NULL;
	learn(list, &entry->runtime, fact->runtime);
}

void container_list_add(struct container_list *list, const struct container_fact *fact)
{
	struct container_entry *entry;

	if (!word(fact->id))
		return;
	entry = container_list_find(list, fact->id);
	/* Users have a say about their own containers only. */
	if (entry && fact->user && (!entry->user || strcmp(entry->user, fact->user)))
		return;
	if (!entry)
		entry = add_entry(list, fact->id);
	if (!entry)
		return;
	learn(list, &entry->name, word(fact->name));
	learn(list, &entry->pod, word(fact->pod));
	learn(list, &entry->part, word(fact->part));
	if (!entry->user)
		entry->uid = fact->uid;
	learn(list, &entry->user, fact->user);
	learn(list, &entry->runtime, fact->runtime);
	/* The last is believed: the cgroup hierarchy itself. */
	if (fact->group && *fact->group == '/') {
		free(entry->group);
		entry->group = NULL;
		learn(list, &entry->group, fact->group);
		check_owner(list, entry, fact);
	}
	/* A user could name any process as that of a container. */
	if (!entry->pid && !fact->user)
		entry->pid = fact->pid;
}

const char *container_list_name(struct container_entry *entry)
{
	if (entry->foreign)
		return NULL;
	if (!entry->pod || !entry->part)
		return entry->name;
	if (!entry->label && asprintf(&entry->label, "%s/%s", entry->pod, entry->part) < 0)
		entry->label = NULL;
	return entry->label ? entry->label : entry->part;
}

void container_list_deny(struct container_list *list, const char *user)
{
	learn(list, &list->denied_user, user);
	list->denied_count++;
}

void container_list_doubt(struct container_list *list, const char *path)
{
	learn(list, &list->strange, path);
}

static void entry_free(struct container_entry *entry)
{
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

void container_list_release(struct container_list *list)
{
	hash_release(list->entries, entry_free);
	free(list->denied_user);
	free(list->strange);
	*list = (struct container_list){0};
}
