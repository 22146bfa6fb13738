/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/taken.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/array.h"
#include "live/source.h"
#include "profile/memory_reading.h"
#include "profile/merge.h"
#include "profile/profile_copy.h"

static struct root_fs *copy_root(const struct root_fs *root)
{
	struct root_fs *copy = root ? malloc(sizeof(*copy)) : NULL;

	if (!copy)
		return NULL;
	*copy = *root;
	copy->fd = fcntl(root->fd, F_DUPFD_CLOEXEC, 0);
	if (copy->fd >= 0)
		return copy;
	free(copy);
	return NULL;
}

static void drop_root(struct taken *taken)
{
	if (taken->root)
		root_fs_close(taken->root);
	free(taken->root);
	taken->root = NULL;
}

int taken_list_add(struct taken_list *list, struct snapshot_draft *draft)
{
	struct profile *facts = snapshot_draft_facts(draft);
	struct taken *taken;

	if (array_grow(&list->rows, list->count, 1)) {
		snapshot_draft_free(draft);
		return -ENOMEM;
	}
	taken = &list->rows[list->count++];
	*taken = (struct taken){.draft = draft, .root = copy_root(facts->root)};
	facts->root = taken->root;
	return 0;
}

int taken_list_add_profile(struct taken_list *list, struct profile *profile)
{
	if (array_grow(&list->rows, list->count, 1)) {
		profile_free(profile);
		return -ENOMEM;
	}
	list->rows[list->count++] = (struct taken){.profile = profile};
	return 0;
}

void taken_list_read_memory(struct taken_list *list)
{
	for (u32 i = 0; i < list->count; i++) {
		struct taken *taken = &list->rows[i];

		profile_read_memory(taken->draft ? snapshot_draft_facts(taken->draft) : taken->profile);
	}
}

int taken_list_complete(struct taken_list *list)
{
	int err = 0;

	for (u32 i = 0; i < list->count && !err; i++) {
		struct snapshot_draft *draft = list->rows[i].draft;

		list->rows[i].draft = NULL;
		if (draft)
			err = snapshot_draft_finish(draft, &list->rows[i].profile);
	}
	return err;
}

void taken_list_forget_ended(struct taken_list *list)
{
	for (u32 i = 0; i < list->count; i++) {
		struct profile *profile = list->rows[i].profile;

		for (u32 n = 0; profile->exited && n < profile->sample_count; n++)
			profile->samples[n].inuse_count = 0;
	}
}

void taken_list_keep_regions(struct taken_list *list)
{
	u32 kept = 0;

	for (u32 i = 0; i < list->count; i++) {
		struct taken *taken = &list->rows[i];
		struct profile *regions = taken->profile->regions;

		taken->profile->regions = NULL;
		profile_free(taken->profile);
		taken->profile = regions;
		if (regions)
			list->rows[kept++] = *taken;
		else
			drop_root(taken);
	}
	list->count = kept;
}

void taken_list_release(struct taken_list *list)
{
	for (u32 i = 0; i < list->count; i++) {
		snapshot_draft_free(list->rows[i].draft);
		profile_free(list->rows[i].profile);
		drop_root(&list->rows[i]);
	}
	free(list->rows);
	*list = (struct taken_list){0};
}

/* The row has it no longer. */
static struct profile *take_out(struct taken *taken)
{
	struct profile *profile = taken->profile;

	profile->root = NULL;
	profile->go.elf = NULL;
	taken->profile = NULL;
	drop_root(taken);
	return profile;
}

/* What was merged is let go at once: a thousand profiles and their sum need not be there together. */
static int merge_those(struct taken_list *list, struct merge *merge, bool go)
{
	int err = 0;

	for (u32 i = 0; i < list->count && !err; i++) {
		struct profile **profile = &list->rows[i].profile;

		if (!*profile || !(*profile)->go.version[0] != !go)
			continue;
		if ((*profile)->sample_count)
			err = source_merge(merge, *profile);
		if (err == -EINVAL && go)
			err = 0;
		profile_free(*profile);
		*profile = NULL;
	}
	return err;
}

/* The first decides at which interval all sample: a Go program's own, which may be another one, is not that if there are others. */
static int merge_all(struct taken_list *list, struct merge *merge)
{
	int err = merge_those(list, merge, false);

	return err ? err : merge_those(list, merge, true);
}

/* Does it stand beside what the process of the one before it has from malloc? */
static bool is_beside(const struct taken_list *list, u32 row)
{
	const struct profile *profile = list->rows[row].profile, *before = row ? list->rows[row - 1].profile : NULL;

	return before && profile->go.version[0] && profile->pid == before->pid && profile->image == before->image;
}

/* Are they the two of one process, which cannot be added up? Its own, the last, is of what most of its memory is. */
static bool is_incomparable(const struct taken_list *list)
{
	return list->count == 2 && is_beside(list, 1) &&
	       list->rows[0].profile->sample_bytes != list->rows[1].profile->sample_bytes;
}

int taken_list_profile(struct taken_list *list, struct profile **ret_profile)
{
	struct merge *merge;
	int err;

	if (!list->count)
		return -ENOENT;
	if (list->count == 1 || is_incomparable(list)) {
		*ret_profile = take_out(&list->rows[list->count - 1]);
		return 0;
	}
	merge = merge_new();
	err = merge ? merge_all(list, merge) : -ENOMEM;
	if (!err) {
		*ret_profile = profile_copy(merge_profile(merge));
		err = *ret_profile ? 0 : -ENOMEM;
	}
	merge_free(merge);
	return err;
}

int taken_list_facts(const struct taken_list *list, struct index_table *table)
{
	int err = 0;

	for (u32 i = 0; i < list->count && !err; i++) {
		struct profile *facts;

		if (is_beside(list, i))
			continue;
		facts = profile_copy_facts(list->rows[i].profile);
		if (!facts)
			return -ENOMEM;
		facts->root = NULL;
		facts->go.elf = NULL;
		err = index_table_add(table, facts, NULL);
	}
	return err;
}

int taken_list_index(struct taken_list *list, struct index_table *table)
{
	u32 done = 0;
	int err = 0;

	while (done < list->count && !err) {
		u32 row = done++;
		const struct profile *beside =
			done < list->count && is_beside(list, done) ? list->rows[done].profile : NULL;

		err = index_table_add(table, take_out(&list->rows[row]), NULL);
		if (!err && beside)
			index_entry_add(&table->entries[table->count - 1], beside);
		done += beside != NULL;
	}
	return err;
}
