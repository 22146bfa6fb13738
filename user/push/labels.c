/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

/* --- lists --- */

/* Where the name is, or would be. */
static u32 place_of(const struct label_list *list, const char *name)
{
	u32 place = 0;

	while (place < list->count && strcmp(list->labels[place].name, name) < 0)
		place++;
	return place;
}

static bool is_at(const struct label_list *list, u32 place, const char *name)
{
	return place < list->count && !strcmp(list->labels[place].name, name);
}

static void take_out(struct label_list *list, u32 place)
{
	free(list->labels[place].name);
	free(list->labels[place].value);
	list->count--;
	memmove(&list->labels[place], &list->labels[place + 1], (list->count - place) * sizeof(*list->labels));
}

static int put_in(struct label_list *list, u32 place, const char *name, const char *value)
{
	struct label label = {strdup(name), strdup(value)};

	if (!label.name || !label.value || array_grow(&list->labels, list->count, 1)) {
		free(label.name);
		free(label.value);
		return -ENOMEM;
	}
	memmove(&list->labels[place + 1], &list->labels[place], (list->count - place) * sizeof(*list->labels));
	list->labels[place] = label;
	list->count++;
	return 0;
}

int label_list_set(struct label_list *list, const char *name, const char *value)
{
	u32 place = place_of(list, name);

	if (is_at(list, place, name))
		take_out(list, place);
	return *value ? put_in(list, place, name, value) : 0;
}

const char *label_list_find(const struct label_list *list, const char *name)
{
	u32 place = place_of(list, name);

	return is_at(list, place, name) ? list->labels[place].value : NULL;
}

void label_list_release(struct label_list *list)
{
	while (list->count)
		take_out(list, list->count - 1);
	free(list->labels);
	*list = (struct label_list){0};
}

/* --- names --- */

enum own_label {
	LABEL_SERVICE,
	LABEL_HOST,
	LABEL_SPACE,
	LABEL_POD,
	LABEL_CONTAINER,
	LABEL_CONTAINER_ID,
	LABEL_UNIT,
	LABEL_EXECUTABLE,
	LABEL_BUILD_ID,
	LABEL_PID,
	LABEL_COUNT
};

/* By enum own_label, and by store. */
static const char *const names[LABEL_COUNT][STORE_OTLP + 1] = {
	[LABEL_SERVICE] = {NULL, "service_name", "service_name", "service.name"},
	[LABEL_HOST] = {NULL, "hostname", "node", "host.name"},
	[LABEL_SPACE] = {NULL, "namespace", "namespace", "k8s.namespace.name"},
	[LABEL_POD] = {NULL, "pod", "pod", "k8s.pod.name"},
	[LABEL_CONTAINER] = {NULL, "container", "container", "container.name"},
	[LABEL_CONTAINER_ID] = {NULL, "container_id", "container_id", "container.id"},
	[LABEL_UNIT] = {NULL, "unit", "unit", "systemd.unit"},
	[LABEL_EXECUTABLE] = {NULL, "executable", "executable", "process.executable.name"},
	[LABEL_BUILD_ID] = {NULL, "build_id", "build_id", "process.executable.build_id.gnu"},
	[LABEL_PID] = {NULL, "pid", "pid", "process.pid"},
};

/* LABEL_COUNT: it is none of heaptap's. */
static enum own_label label_named(const char *name)
{
	unsigned int label = 0;

	for (; label < LABEL_COUNT; label++)
		for (unsigned int store = STORE_PYROSCOPE; store <= STORE_OTLP; store++)
			if (!strcmp(names[label][store], name))
				return label;
	return label;
}

static void without_dots(char *name)
{
	for (; *name; name++)
		if (*name == '.')
			*name = '_';
}

/* --- of the command line --- */

static int refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EINVAL;
}

static int check_name(const char *name, size_t length, const char **ret_why)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.0123456789";

	if (!length || length > LABEL_NAME_MAX || strspn(name, letters) < length || strchr(".0123456789", *name))
		return refuse(ret_why, "has no name of letters, digits, '_' and '.' that begins with a letter or '_'");
	if (!strncmp(name, "__", 2))
		return refuse(ret_why, "has a name that begins with '__', which stores keep for themselves");
	if (length == strlen(LABEL_PART) && !strncmp(name, LABEL_PART, length))
		return refuse(ret_why, "has the name of the label that tells pieces of a profile apart");
	return 0;
}

static int check_value(const char *value, const char **ret_why)
{
	if (!*value || strlen(value) > LABEL_VALUE_MAX)
		return refuse(ret_why, "has no value of 1 to 2048 bytes");
	for (size_t length; *value; value += length) {
		length = text_character_length(value);
		if (!length || text_is_control(value))
			return refuse(ret_why, "has a value that is no UTF-8, or that has control characters");
	}
	return 0;
}

/* "a.b" and "a_b" are one name where there are no dots, and what replaces one of heaptap's labels is one by any of its names. */
static bool are_one(const char *a, const char *b)
{
	enum own_label label = label_named(a);

	if (label < LABEL_COUNT && label == label_named(b))
		return true;
	while (*a && (*a == '.' ? '_' : *a) == (*b == '.' ? '_' : *b))
		a++, b++;
	return !*a && !*b;
}

static bool is_there(const struct label_list *own, const char *name)
{
	for (u32 i = 0; i < own->count; i++)
		if (are_one(own->labels[i].name, name))
			return true;
	return false;
}

int labels_add_own(struct label_list *own, const char *text, const char **ret_why)
{
	size_t length = strcspn(text, "=");
	char *name;
	int err;

	if (!text[length])
		return refuse(ret_why, "is not of the form NAME=VALUE");
	err = check_name(text, length, ret_why);
	err = err ? err : check_value(text + length + 1, ret_why);
	if (err)
		return err;
	if (own->count == LABELS_OWN_MAX)
		return refuse(ret_why, "is one too many (at most 16)");
	name = strndup(text, length);
	if (!name)
		return -ENOMEM;
	if (is_there(own, name))
		err = refuse(ret_why, "has a name that was given before");
	else
		err = label_list_set(own, name, text + length + 1);
	free(name);
	return err;
}

/* --- of a process --- */

/* A foreign process chose it: clean, and cut between characters. */
static int set_clean(struct label_list *list, const char *name, const char *value)
{
	char *clean = value ? text_clean(value) : NULL;
	size_t length = 0, next = 0;
	int err;

	if (!clean)
		return value ? -ENOMEM : 0;
	while (clean[length] && (next = length + text_character_length(clean + length)) <= LABEL_VALUE_MAX)
		length = next;
	clean[length] = '\0';
	err = label_list_set(list, name, clean);
	free(clean);
	return err;
}

static const char *last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

/* The innermost service of systemd in the path of a control group; the caller's. NULL: none. 0 or -ENOMEM. */
static int unit_of(const char *cgroup, char **ret_unit)
{
	static const char ending[] = ".service";
	const char *unit = NULL;
	size_t unit_length = 0, length;

	for (const char *part = cgroup; part && *part; part += length + (part[length] == '/')) {
		length = strcspn(part, "/");
		if (length <= strlen(ending) || strncmp(part + length - strlen(ending), ending, strlen(ending)) != 0)
			continue;
		unit = part;
		unit_length = length;
	}
	*ret_unit = unit ? strndup(unit, unit_length) : NULL;
	return unit && !*ret_unit ? -ENOMEM : 0;
}

struct made {
	struct label_list *list;
	enum store_kind store;
	int err;
};

static void put(struct made *made, enum own_label label, const char *value)
{
	if (!made->err)
		made->err = set_clean(made->list, names[label][made->store], value);
}

static void put_service(struct made *made, const struct label_facts *facts, const char *container, const char *unit)
{
	char *both = NULL;

	if (facts->space && container && asprintf(&both, "%s/%s", facts->space, container) < 0) {
		both = NULL;
		made->err = -ENOMEM;
	}
	put(made, LABEL_SERVICE,
	    both	   ? both
	    : container	   ? container
	    : unit	   ? unit
	    : *facts->comm ? facts->comm
			   : "unknown");
	free(both);
}

static void put_container(struct made *made, const struct label_facts *facts)
{
	const char *container = last_part(facts->container);
	bool has_pod = container && container != facts->container;
	char *pod = has_pod ? strndup(facts->container, (size_t)(container - facts->container - 1)) : NULL;
	char *unit = NULL;

	if (has_pod && !pod)
		made->err = -ENOMEM;
	if (!facts->container_id && unit_of(facts->cgroup, &unit))
		made->err = -ENOMEM;
	put_service(made, facts, container, unit);
	put(made, LABEL_CONTAINER, container);
	put(made, LABEL_POD, pod);
	put(made, LABEL_UNIT, unit);
	free(pod);
	free(unit);
}

static void put_own(struct made *made, const struct label_list *own)
{
	for (u32 i = 0; i < own->count && !made->err; i++) {
		enum own_label label = label_named(own->labels[i].name);
		char *name = strdup(label < LABEL_COUNT ? names[label][made->store] : own->labels[i].name);

		if (name && made->store != STORE_OTLP)
			without_dots(name);
		made->err = name ? label_list_set(made->list, name, own->labels[i].value) : -ENOMEM;
		free(name);
	}
}

int labels_make(const struct label_facts *facts, const struct label_list *own, enum store_kind store,
		struct label_list *ret_list)
{
	struct made made = {ret_list, store, 0};
	char pid[16];

	*ret_list = (struct label_list){0};
	snprintf(pid, sizeof(pid), "%u", facts->pid);
	put_container(&made, facts);
	put(&made, LABEL_HOST, facts->host);
	put(&made, LABEL_SPACE, facts->space);
	put(&made, LABEL_CONTAINER_ID, facts->container_id);
	put(&made, LABEL_EXECUTABLE, facts->exe ? last_part(facts->exe) : facts->comm);
	put(&made, LABEL_BUILD_ID, facts->build_id);
	put(&made, LABEL_PID, facts->pid ? pid : NULL);
	put_own(&made, own);
	if (made.err)
		label_list_release(ret_list);
	return made.err;
}
