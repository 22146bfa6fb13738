/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All and containers. Samples are kept once, in what is merged of all; a container's are picked out of it when they are
 * to be written, so that memory does not pay for them twice. Used by aggregate.
 */
#define HASH_NONFATAL_OOM	     1
#define uthash_nonfatal_oom(element) (out_of_memory = true)
#include "format/output_file.h"
#include "format/site_label.h"
#include "record/by_container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define ID_LENGTH 64 /* of the hexadecimal ids that are cut for names of files */

struct container {
	struct profile facts; /* stem, comm, container and container_name are its own */
	UT_hash_handle hh;    /* by facts.container */
};

struct by_container {
	struct merge *all;
	struct container *containers;
};

struct by_container *by_container_new(void)
{
	struct by_container *containers = calloc(1, sizeof(*containers));

	if (!containers)
		return NULL;
	containers->all = merge_new();
	if (!containers->all) {
		free(containers);
		return NULL;
	}
	return containers;
}

static void container_free(struct container *container)
{
	free(container->facts.stem);
	free(container->facts.container);
	free(container->facts.container_name);
	free(container);
}

void by_container_free(struct by_container *containers)
{
	struct container *container, *next;

	if (!containers)
		return;
	HASH_ITER (hh, containers->containers, container, next) {
		HASH_DEL(containers->containers, container);
		container_free(container);
	}
	merge_free(containers->all);
	free(containers);
}

static bool has_stem(const struct by_container *containers, const char *stem)
{
	for (const struct container *container = containers->containers; container; container = container->hh.next)
		if (!strcmp(container->facts.stem, stem))
			return true;
	return false;
}

/* Ids that are long are told apart by their beginnings, or, if not, by a number. NULL: no memory. */
static char *make_stem(const struct by_container *containers, const char *id)
{
	char clean[OUTPUT_FILE_NAME_MAX + 1], *stem;
	u32 number = 1;

	output_file_clean_name(id, clean);
	if (strlen(id) == ID_LENGTH)
		clean[SITE_LABEL_ID_COLUMNS] = '\0';
	if (asprintf(&stem, "container.%s", clean) < 0)
		return NULL;
	while (has_stem(containers, stem)) {
		free(stem);
		if (asprintf(&stem, "container.%s-%u", clean, ++number) < 0)
			return NULL;
	}
	return stem;
}

static struct container *container_new(struct by_container *containers, const char *id, const char *name)
{
	struct container *container = calloc(1, sizeof(*container));
	bool out_of_memory = false;

	if (!container)
		return NULL;
	container->facts.stem = container->facts.comm = make_stem(containers, id);
	container->facts.container = strdup(id);
	container->facts.container_name = name ? strdup(name) : NULL;
	if (container->facts.stem && container->facts.container)
		HASH_ADD_KEYPTR(hh, containers->containers, container->facts.container, strlen(id), container);
	if (!container->facts.stem || !container->facts.container || out_of_memory) {
		container_free(container);
		return NULL;
	}
	return container;
}

static int add_to_container(struct by_container *containers, const struct profile *profile)
{
	const char *id = profile->container;
	struct container *container;

	if (!id)
		return 0;
	HASH_FIND_STR(containers->containers, id, container);
	if (!container && HASH_COUNT(containers->containers) >= BY_CONTAINER_MAX)
		return 0;
	if (!container)
		container = container_new(containers, id, profile->container_name);
	if (!container)
		return -ENOMEM;
	merge_facts(&container->facts, profile);
	return 0;
}

int by_container_add(struct by_container *containers, const struct profile *profile,
		     const struct profile_labels *labels)
{
	int err = merge_add(containers->all, profile, labels);

	return err ? err : add_to_container(containers, profile);
}

int by_container_copy(struct by_container *containers, const struct by_container *from)
{
	int err = merge_profile(from->all)->processes ? merge_add(containers->all, merge_profile(from->all), NULL) : 0;

	for (const struct container *container = from->containers; container && !err; container = container->hh.next)
		err = add_to_container(containers, &container->facts);
	return err;
}

const struct profile *by_container_all(const struct by_container *containers)
{
	return merge_profile(containers->all);
}

static bool is_in(const struct profile_labels *labels, const void *id)
{
	return labels->container_id && !strcmp(labels->container_id, id);
}

typedef void told_function(void *arg, const struct profile *merged, char **files);

static int write_one(const struct profile *profile, int dir, unsigned int formats, unsigned int seq,
		     told_function *told, void *arg)
{
	char **files = NULL;
	int err = profile->sample_count ? output_file_write(dir, profile, formats, seq, &files) : 0;

	told(arg, profile, files);
	return err;
}

static int write_container(const struct by_container *containers, const struct container *container, int dir,
			   unsigned int formats, unsigned int seq, told_function *told, void *arg)
{
	struct merge *merge = merge_new();
	int err =
		merge ? merge_select(merge, by_container_all(containers), is_in, container->facts.container) : -ENOMEM;

	if (!err) {
		merge_describe(merge, &container->facts);
		err = write_one(merge_profile(merge), dir, formats, seq, told, arg);
	}
	merge_free(merge);
	return err;
}

int by_container_write(const struct by_container *containers, int dir, unsigned int formats, unsigned int seq,
		       told_function *told, void *arg)
{
	int err, first_err = 0;

	for (const struct container *container = containers->containers; container; container = container->hh.next) {
		err = write_container(containers, container, dir, formats, seq, told, arg);
		first_err = first_err ? first_err : err;
	}
	err = write_one(by_container_all(containers), dir, formats, seq, told, arg);
	return first_err ? first_err : err;
}
