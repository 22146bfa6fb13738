/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/merged_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/site_label.h"
#include "profile/merge.h"

#define COMMS_MAX 64
#define ID_LENGTH 64 /* of the hexadecimal ids that are cut for names of files */

static struct merged_row *find(const struct merged_rows *rows, const char *key)
{
	struct merged_row *row;

	HASH_FIND_STR(rows->rows, key, row);
	return row;
}

static void row_free(struct merged_row *row)
{
	if (!row)
		return;
	profile_free(row->facts);
	intern_release(&row->comms);
	free(row);
}

/* Allocated; NULL: no memory. */
static char *make_stem(struct merged_rows *rows, const char *prefix, const char *name)
{
	char clean[OUTPUT_FILE_NAME_MAX + 1], suffix[16] = "", *stem;
	const struct interned *entry;
	int added;

	output_file_clean_name(name, clean);
	for (u32 number = 2;; number++) {
		if (asprintf(&stem, "%s.%s%s", prefix, clean, suffix) < 0)
			return NULL;
		added = intern_add(&rows->stems, stem, (u32)strlen(stem), &entry);
		if (added > 0)
			return stem;
		free(stem);
		if (added < 0)
			return NULL;
		snprintf(suffix, sizeof(suffix), "-%u", number);
	}
}

/*
 * Add a row. Its facts are copies of the strings of `facts` (comm NULL: the stem), with stem <prefix>.<name>, or
 * <prefix>.<name>-N where another row has that. NULL: no memory.
 */
static struct merged_row *add(struct merged_rows *rows, const char *key, const struct profile *facts,
			      const char *prefix, const char *name)
{
	struct merged_row *row = calloc(1, sizeof(*row) + strlen(key) + 1);
	struct profile own = {.comm = facts->comm,
			      .exe = facts->exe,
			      .container = facts->container,
			      .container_name = facts->container_name,
			      .stem = make_stem(rows, prefix, name)};

	if (!own.comm)
		own.comm = own.stem;
	if (row && own.stem)
		row->facts = profile_copy_facts(&own);
	free(own.stem);
	if (row && row->facts) {
		strcpy(row->key, key);
		row->number = HASH_COUNT(rows->rows) + 1;
		HASH_ADD_STR(rows->rows, key, row);
		if (hash_added(&row->hh))
			return row;
	}
	row_free(row);
	return NULL;
}

void merged_rows_release(struct merged_rows *rows)
{
	hash_release(rows->rows, row_free);
	intern_release(&rows->stems);
}

/* A process whose executable is unknown goes by its name instead: those have no slash in front. */
struct merged_row *merged_rows_executable(struct merged_rows *rows, const struct profile *profile)
{
	bool known = profile->exe && profile->exe[0] == '/';
	char *path = known ? profile->exe : profile->comm, *slash = strrchr(path, '/');
	char *name = slash && slash[1] ? slash + 1 : path;
	struct profile facts = {.exe = *path == '/' ? path : NULL, .comm = name};
	struct merged_row *row = find(rows, path);

	if (!row && HASH_COUNT(rows->rows) < MERGED_EXECUTABLES_MAX)
		return add(rows, path, &facts, "merged", name);
	if (row)
		return row;
	row = find(rows, "");
	facts = (struct profile){.comm = (char *)"others"};
	return row ? row : add(rows, "", &facts, "merged", facts.comm);
}

/* What regions' facts begin with: whose they are. NULL: no memory. */
static struct profile *name_regions(const struct profile *facts)
{
	const struct profile names = {.comm = facts->comm,
				      .exe = facts->exe,
				      .container = facts->container,
				      .container_name = facts->container_name,
				      .stem = facts->stem};

	return profile_copy_facts(&names);
}

int merged_rows_add_facts(struct merged_row *row, const struct profile *profile)
{
	merge_facts(row->facts, profile);
	if (!profile->regions)
		return 0;
	if (!row->facts->regions)
		row->facts->regions = name_regions(row->facts);
	if (!row->facts->regions)
		return -ENOMEM;
	merge_facts(row->facts->regions, profile->regions);
	return 0;
}

const char *merged_rows_comm(struct merged_row *row, const char *comm)
{
	u32 size = (u32)strlen(comm) + 1;
	const struct interned *entry = intern_find(&row->comms, comm, size);

	if (!entry && intern_count(&row->comms) < COMMS_MAX)
		intern_add(&row->comms, comm, size, &entry);
	return entry ? (const char *)entry->bytes : "other";
}

/* `merged`, having these regions if there are any. */
static struct profile with_regions(const struct profile *merged, const struct profile *regions)
{
	struct profile both = *merged;

	both.regions = regions->sample_count ? (struct profile *)regions : NULL;
	return both;
}

/* If it has samples, or regions. 0 or negative errno. */
static int write_profile(const struct profile *merged, const struct merged_output *output)
{
	bool any = merged->sample_count || merged->regions;
	char **files = NULL;
	int err = any ? output_file_write(output->dir, merged, output->formats, output->folder, &files) : 0;

	output->written(output->arg, merged, files);
	return err;
}

/* What of `all` is the row's, described by `facts`. 0 or negative errno. */
static int select_row(struct merge *merge, const struct profile *all, const struct merged_row *row,
		      bool (*is_of_row)(const struct profile_labels *labels, const void *row),
		      const struct profile *facts)
{
	int err = all && facts ? merge_select(merge, all, is_of_row, row) : 0;

	if (!err && facts)
		merge_describe(merge, facts);
	return err;
}

static int write_row(const struct merged_row *row, const struct profile *all,
		     bool (*is_of_row)(const struct profile_labels *labels, const void *row),
		     const struct merged_output *output)
{
	struct merge *merge = merge_new(), *regions = merge_new();
	struct profile both;
	int err = merge && regions ? 0 : -ENOMEM;

	err = err ? err : select_row(merge, all, row, is_of_row, row->facts);
	err = err ? err : select_row(regions, all->regions, row, is_of_row, row->facts->regions);
	if (!err) {
		both = with_regions(merge_profile(merge), merge_profile(regions));
		err = write_profile(&both, output);
	}
	merge_free(merge);
	merge_free(regions);
	return err;
}

int merged_rows_write(const struct merged_rows *rows, const struct profile *all,
		      bool (*is_of_row)(const struct profile_labels *labels, const void *row),
		      const struct merged_output *output)
{
	int first_err = 0;

	for (const struct merged_row *row = rows->rows; row; row = row->hh.next) {
		int err = write_row(row, all, is_of_row, output);

		first_err = first_err ? first_err : err;
	}
	return first_err;
}

/* --- by container --- */

/*
 * Samples are kept once, in what is merged of all; a container's are picked out of it when they are to be written, so
 * that memory does not pay for them twice.
 */
struct by_container {
	struct merge *all, *regions;
	struct profile merged;	 /* of both */
	struct merged_rows rows; /* by container id */
};

static void note_merged(struct by_container *containers)
{
	containers->merged = with_regions(merge_profile(containers->all), merge_profile(containers->regions));
}

struct by_container *by_container_new(void)
{
	struct by_container *containers = calloc(1, sizeof(*containers));

	if (!containers)
		return NULL;
	containers->all = merge_new();
	containers->regions = merge_new();
	if (!containers->all || !containers->regions) {
		by_container_free(containers);
		return NULL;
	}
	note_merged(containers);
	return containers;
}

void by_container_free(struct by_container *containers)
{
	if (!containers)
		return;
	merged_rows_release(&containers->rows);
	merge_free(containers->all);
	merge_free(containers->regions);
	free(containers);
}

static int add_to_container(struct by_container *containers, const struct profile *profile)
{
	struct profile facts = {.container = profile->container, .container_name = profile->container_name};
	char name[SITE_LABEL_ID_COLUMNS + 1];
	struct merged_row *row;

	if (!facts.container)
		return 0;
	row = find(&containers->rows, facts.container);
	if (!row && HASH_COUNT(containers->rows.rows) >= BY_CONTAINER_MAX)
		return 0;
	snprintf(name, sizeof(name), "%s", facts.container);
	if (!row)
		row = add(&containers->rows, facts.container, &facts, "container",
			  strlen(facts.container) == ID_LENGTH ? name : facts.container);
	if (!row)
		return -ENOMEM;
	return merged_rows_add_facts(row, profile);
}

int by_container_add(struct by_container *containers, const struct profile *profile,
		     const struct profile_labels *labels)
{
	int err = merge_add(containers->all, profile, labels);

	if (!err && profile->regions)
		err = merge_add(containers->regions, profile->regions, labels);
	note_merged(containers);
	return err ? err : add_to_container(containers, profile);
}

int by_container_copy(struct by_container *containers, const struct by_container *from)
{
	int err = from->merged.processes ? merge_add(containers->all, &from->merged, NULL) : 0;

	if (!err && from->merged.regions)
		err = merge_add(containers->regions, from->merged.regions, NULL);
	note_merged(containers);
	for (const struct merged_row *row = from->rows.rows; row && !err; row = row->hh.next)
		err = add_to_container(containers, row->facts);
	return err;
}

const struct profile *by_container_all(const struct by_container *containers)
{
	return &containers->merged;
}

u32 by_container_samples(const struct by_container *containers)
{
	const struct profile *regions = containers->merged.regions;

	return containers->merged.sample_count + (regions ? regions->sample_count : 0);
}

static bool is_in(const struct profile_labels *labels, const void *row)
{
	return labels->container_id && !strcmp(labels->container_id, ((const struct merged_row *)row)->key);
}

int by_container_write(const struct by_container *containers, const struct merged_output *output)
{
	int err = merged_rows_write(&containers->rows, by_container_all(containers), is_in, output);
	int all_err = write_profile(by_container_all(containers), output);

	return err ? err : all_err;
}
