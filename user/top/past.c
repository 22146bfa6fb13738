/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/past.h"

#include <stdlib.h>

#include "base/array.h"

#define MOMENTS_LEAST 4

/* --- the sites of a process --- */

static int add_moment(struct source *source, const struct source_want *want, u32 index, struct timeline *timeline)
{
	struct profile *profile;
	int err = source_moment(source, want, index, &profile);

	if (err)
		return err;
	err = timeline_add_profile(timeline, profile->start_unix_ns + profile->duration_ns, profile);
	profile_free(profile);
	return err;
}

static void read_sites(struct source *source, const struct screen_target *target, struct past *past)
{
	const struct source_want want = {.pid = target->pid, .image = target->image};
	u32 count = source_moment_count(source, &want), wanted = count < PAST_MOMENTS ? count : PAST_MOMENTS;

	if (!count)
		return;
	past->sites = calloc(1, sizeof(*past->sites));
	for (u32 i = 0; past->sites && i < wanted; i++)
		add_moment(source, &want, timeline_pick(count, wanted, i), past->sites);
}

/* --- processes --- */

static struct source_want want_of(const struct index_entry *entry)
{
	return (struct source_want){.pid = entry->facts->pid, .image = entry->facts->image};
}

static void read_process(struct source *source, const struct index_entry *entry, u32 wanted,
			 struct past_process *process)
{
	const struct source_want want = want_of(entry);
	u32 count = source_moment_count(source, &want);

	*process = (struct past_process){.pid = want.pid, .image = want.image};
	wanted = wanted < count ? wanted : count;
	for (u32 i = 0; i < wanted; i++) {
		struct profile *profile;
		u64 total[MEASURE_MAX];

		if (source_moment(source, &want, timeline_pick(count, wanted, i), &profile))
			continue;
		profile_totals(profile, total);
		process->inuse[process->count++] = total[INUSE_SPACE];
		profile_free(profile);
	}
}

static void read_processes(struct source *source, const struct index_table *table, struct past *past)
{
	u32 having = 0, wanted;

	for (u32 i = 0; i < table->count; i++) {
		const struct source_want want = want_of(&table->entries[i]);

		having += source_moment_count(source, &want) > 0;
	}
	if (!having || PAST_READS_MAX / having < MOMENTS_LEAST)
		return;
	wanted = PAST_READS_MAX / having < PAST_MOMENTS ? PAST_READS_MAX / having : PAST_MOMENTS;
	for (u32 i = 0; i < table->count; i++) {
		if (array_grow(&past->processes, past->process_count, 1))
			return;
		read_process(source, &table->entries[i], wanted, &past->processes[past->process_count]);
		past->process_count += past->processes[past->process_count].count > 0;
	}
}

void past_read(struct source *source, const struct source_listing *listing, const struct screen_target *target,
	       struct past *ret_past)
{
	*ret_past = (struct past){0};
	if (target->pid)
		read_sites(source, target, ret_past);
	else
		read_processes(source, &listing->processes, ret_past);
}

void past_release(struct past *past)
{
	free(past->processes);
	if (past->sites)
		timeline_release(past->sites);
	free(past->sites);
	*past = (struct past){0};
}
