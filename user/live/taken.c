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

/* `work`: NULL: it needs none. */
static int finish(struct taken *taken, const struct taken_work *work)
{
	struct snapshot_draft *draft = taken->draft;
	int err = 0;

	taken->draft = NULL;
	if (draft)
		err = snapshot_draft_finish(draft, &taken->profile);
	return err || !work ? err : work->finish(taken->profile, work->arg);
}

int taken_list_complete(struct taken_list *list)
{
	int err = 0;

	for (u32 i = 0; i < list->count && !err; i++)
		err = finish(&list->rows[i], NULL);
	return err;
}

static void forget_ended(struct profile *profile)
{
	for (u32 i = 0; profile->exited && i < profile->sample_count; i++)
		profile->samples[i].inuse_count = 0;
}

void taken_forget_ended(struct profile *profile)
{
	forget_ended(profile);
	if (profile->regions)
		forget_ended(profile->regions);
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

static const struct profile *facts_of(const struct taken *taken)
{
	return taken->draft ? snapshot_draft_facts(taken->draft) : taken->profile;
}

static int merge_one(struct taken *taken, struct merge *merge, const struct taken_work *work)
{
	int err = finish(taken, work);

	if (!err && taken->profile->sample_count)
		err = source_merge(merge, taken->profile);
	if (taken->profile)
		profile_strip(taken->profile);
	return err;
}

static int merge_those(struct taken_list *list, struct merge *merge, const struct taken_work *work, bool go)
{
	int err = 0;

	for (u32 i = 0; i < list->count && !err; i++) {
		if (!facts_of(&list->rows[i])->go.version[0] != !go)
			continue;
		err = merge_one(&list->rows[i], merge, work);
		if (err == -EINVAL && go) {
			list->go_left_out = true;
			err = 0;
		}
	}
	return err;
}

/* The first decides at which interval all sample: a Go program's own, which may be another one, is not that if there are others. */
static int merge_all(struct taken_list *list, struct merge *merge, const struct taken_work *work)
{
	int err = merge_those(list, merge, work, false);

	return err ? err : merge_those(list, merge, work, true);
}

/* Does it stand beside what the process of the one before it has from malloc? */
static bool is_beside(const struct taken_list *list, u32 row)
{
	const struct profile *facts = facts_of(&list->rows[row]), *before;

	if (!row || !facts->go.version[0])
		return false;
	before = facts_of(&list->rows[row - 1]);
	return facts->pid == before->pid && facts->image == before->image;
}

/* Are they the two of one process, which cannot be added up? Its own, the last, is of what most of its memory is. */
static bool is_incomparable(const struct taken_list *list)
{
	return list->count == 2 && is_beside(list, 1) &&
	       !merge_can_add(facts_of(&list->rows[0]), facts_of(&list->rows[1]));
}

/* The last one, as it is; a copy of its facts stays. */
static int take_last(struct taken_list *list, const struct taken_work *work, struct profile **ret_profile)
{
	struct taken *last = &list->rows[list->count - 1];
	struct profile *facts;
	int err = taken_list_complete(list);

	if (!err)
		err = finish(last, work);
	if (err)
		return err;
	facts = profile_copy_facts(last->profile);
	if (!facts)
		return -ENOMEM;
	*ret_profile = take_out(last);
	facts->root = NULL;
	facts->go.elf = NULL;
	last->profile = facts;
	return 0;
}

int taken_list_sum(struct taken_list *list, const struct taken_work *work, struct taken_sum *ret_sum)
{
	struct merge *merge;
	int err;

	*ret_sum = (struct taken_sum){0};
	if (!list->count)
		return -ENOENT;
	if (list->count == 1 || (is_incomparable(list) && !(work && work->adds_up)))
		return take_last(list, work, &ret_sum->profile);
	merge = merge_new();
	err = merge ? merge_all(list, merge, work) : -ENOMEM;
	if (err)
		merge_free(merge);
	else
		ret_sum->merge = merge;
	return err;
}

int taken_sum_profile(struct taken_sum *sum, struct profile **ret_profile)
{
	struct profile *profile = sum->merge ? profile_copy(merge_profile(sum->merge)) : sum->profile;

	merge_free(sum->merge);
	*sum = (struct taken_sum){0};
	if (!profile)
		return -ENOMEM;
	*ret_profile = profile;
	return 0;
}

int taken_list_profile(struct taken_list *list, const struct taken_work *work, struct profile **ret_profile)
{
	struct taken_sum sum;
	int err = taken_list_sum(list, work, &sum);

	return err ? err : taken_sum_profile(&sum, ret_profile);
}

/* With what stands beside it, if anything does. */
static int add_entry(struct taken_list *list, u32 row, bool has_beside, struct index_table *table)
{
	int err = index_table_add(table, take_out(&list->rows[row]), NULL);

	if (!err && has_beside)
		index_entry_add(&table->entries[table->count - 1], list->rows[row + 1].profile);
	return err;
}

int taken_list_index(struct taken_list *list, struct index_table *table)
{
	int err = 0;

	for (u32 i = 0; i < list->count && !err; i++) {
		bool has_beside = i + 1 < list->count && is_beside(list, i + 1);

		err = add_entry(list, i, has_beside, table);
		i += has_beside;
	}
	return err;
}
