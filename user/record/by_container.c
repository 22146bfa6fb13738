/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples are kept once, in what is merged of all; a container's are picked out of it when they are to be written, so
 * that memory does not pay for them twice.
 */
#include "record/by_container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/site_label.h"
#include "profile/merge.h"

#define ID_LENGTH 64 /* of the hexadecimal ids that are cut for names of files */

struct by_container {
	struct merge *all;
	struct merged_rows rows; /* by container id */
};

struct by_container *by_container_new(void)
{
	struct by_container *containers = calloc(1, sizeof(*containers));

	if (!containers)
		return NULL;
	containers->all = merge_new();
	if (containers->all)
		return containers;
	free(containers);
	return NULL;
}

void by_container_free(struct by_container *containers)
{
	if (!containers)
		return;
	merged_rows_release(&containers->rows);
	merge_free(containers->all);
	free(containers);
}

static int add_to_container(struct by_container *containers, const struct profile *profile)
{
	struct profile facts = {.container = profile->container, .container_name = profile->container_name};
	char name[SITE_LABEL_ID_COLUMNS + 1];
	struct merged_row *row;

	if (!facts.container)
		return 0;
	row = merged_rows_find(&containers->rows, facts.container);
	if (!row && merged_rows_count(&containers->rows) >= BY_CONTAINER_MAX)
		return 0;
	snprintf(name, sizeof(name), "%s", facts.container);
	if (!row)
		row = merged_rows_add(&containers->rows, facts.container, &facts, "container",
				      strlen(facts.container) == ID_LENGTH ? name : facts.container);
	if (!row)
		return -ENOMEM;
	merge_facts(row->facts, profile);
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

	for (const struct merged_row *row = from->rows.rows; row && !err; row = row->hh.next)
		err = add_to_container(containers, row->facts);
	return err;
}

const struct profile *by_container_all(const struct by_container *containers)
{
	return merge_profile(containers->all);
}

static bool is_in(const struct profile_labels *labels, const void *row)
{
	return labels->container_id && !strcmp(labels->container_id, ((const struct merged_row *)row)->key);
}

int by_container_write(const struct by_container *containers, const struct merged_output *output)
{
	int err = merged_rows_write(&containers->rows, by_container_all(containers), is_in, output);
	int all_err = merged_rows_write_profile(by_container_all(containers), output);

	return err ? err : all_err;
}
