/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/intake.h"

#include <errno.h>

#include "base/log.h"
#include "base/status.h"
#include "base/units.h"
#include "format/site_label.h"
#include "profile/merge.h"
#include "profile/profile_copy.h"
#include "push/pushing.h"

/* --- in --- */

/* With its number as group: a pid alone may be another program's in the next interval. */
static int merge_in(struct intake_part *part, const struct profile *profile, u32 process)
{
	char buffer[SITE_LABEL_ID_COLUMNS + 1];
	const struct profile_labels labels = {
		.pid = profile->pid,
		.comm = profile->comm,
		.container = (char *)site_label_container(profile, buffer),
		.container_id = profile->container,
		.group = process,
	};

	if (!part->merge)
		part->merge = merge_new();
	return part->merge ? merge_add(part->merge, profile, &labels) : -ENOMEM;
}

static int add_to(struct intake_part *part, const struct profile *profile, u32 process)
{
	struct profile *facts;
	int err = merge_in(part, profile, process);

	if (err)
		return err;
	facts = profile_copy_facts(profile);
	return facts ? index_table_add(&part->facts, facts, NULL) : -ENOMEM;
}

static void add_ended(struct intake *intake, const struct profile *profile, u32 process)
{
	if (intake->ended.facts.count >= INTAKE_ENDED_MAX || add_to(&intake->ended, profile, process))
		intake->lost++;
}

void intake_add(struct intake *intake, const struct profile *profile, u32 process, bool last)
{
	bool other = profile && profile->go.version[0] &&
		     (profile->sample_bytes != intake->sample_bytes || intake->alloc_only);

	intake->left_out_go |= other;
	if (!profile && last)
		intake->lost++;
	else if (!profile)
		intake->lacks = true;
	else if (other || !profile->sample_count)
		; /* nothing that could be added up */
	else if (profile->exited)
		add_ended(intake, profile, process);
	else if (add_to(&intake->living, profile, process))
		intake->lacks = true;
}

static void release_part(struct intake_part *part)
{
	merge_free(part->merge);
	index_table_release(&part->facts);
	*part = (struct intake_part){0};
}

void intake_next(struct intake *intake, bool sent)
{
	release_part(&intake->living);
	if (sent)
		release_part(&intake->ended);
	intake->lacks = false;
}

/* --- out --- */

static int merge_part(struct merge *sum, const struct intake_part *part)
{
	return part->merge ? merge_add(sum, merge_profile(part->merge), NULL) : 0;
}

/* Nothing is in use of what has ended: its samples are the first, as each has a pid and is added to no other. */
static int merge_parts(const struct intake *intake, struct merge *sum, struct profile **ret_profile)
{
	u32 ended;
	int err = merge_part(sum, &intake->ended);

	if (err)
		return err;
	ended = merge_profile(sum)->sample_count;
	err = merge_part(sum, &intake->living);
	if (err)
		return err;
	*ret_profile = profile_copy(merge_profile(sum));
	for (u32 i = 0; *ret_profile && i < ended; i++)
		(*ret_profile)->samples[i].inuse_count = 0;
	return *ret_profile ? 0 : -ENOMEM;
}

static int intake_profile(struct source *source, const struct source_want *want, struct profile **ret_profile)
{
	const struct intake *intake = (const struct intake *)source;
	struct merge *sum;
	int err;

	(void)want; /* there is one answer: the whole target, as it was handed over */
	if (intake->lacks)
		return -ENOMEM;
	if (!intake->ended.merge && !intake->living.merge)
		return -ENOENT;
	sum = merge_new();
	err = sum ? merge_parts(intake, sum, ret_profile) : -ENOMEM;
	merge_free(sum);
	return err;
}

static int intake_list(struct source *source, bool gc, struct source_listing *ret_listing)
{
	const struct intake *intake = (const struct intake *)source;
	int err;

	(void)gc;
	ret_listing->sample_bytes = intake->sample_bytes;
	ret_listing->named = intake->named;
	/* A process is what it is now, whatever it was before. */
	err = index_table_copy(&intake->ended.facts, &ret_listing->processes);
	return err ? err : index_table_copy(&intake->living.facts, &ret_listing->processes);
}

/* --- its life --- */

void intake_open(struct intake *intake, bool named, bool alloc_only, u64 sample_bytes)
{
	static const struct source_ops ops = {.list = intake_list, .profile = intake_profile};

	*intake = (struct intake){
		.source.ops = &ops, .sample_bytes = sample_bytes, .named = named, .alloc_only = alloc_only};
}

int intake_say_losses(const struct intake *intake)
{
	if (intake->left_out_go)
		pushing_say_go_left_out(intake->sample_bytes, intake->alloc_only);
	if (!intake->lost)
		return STATUS_DONE;
	log_error(
		"what %s processes had at their end was not pushed: more than %d ended within an interval (a shorter --interval has "
		"fewer), more Go programs than --keep has files for, or there was no memory",
		units_digits(intake->lost).text, INTAKE_ENDED_MAX);
	return STATUS_FAILED;
}

void intake_release(struct intake *intake)
{
	release_part(&intake->ended);
	release_part(&intake->living);
}
