/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "profile/merge_tables.h"
#include "profile/sample_residency.h"

static int add_stack(struct passage *passage, const struct profile_sample *from, const struct interned **ret_stack)
{
	int err = 0;

	*ret_stack = NULL;
	for (u32 i = 0; i < from->depth && !err; i++) {
		u32 index = from->location[i];

		if (index >= passage->from->location_count)
			return -EINVAL;
		if (passage->location[index] == UNSEEN)
			err = merge_tables_location(passage, &passage->from->locations[index],
						    &passage->location[index]);
		passage->stack[i] = passage->location[index];
	}
	if (err || !from->depth)
		return err;
	err = intern_add(&passage->merge->stacks, passage->stack, from->depth * sizeof(*passage->stack), ret_stack);
	return err < 0 ? err : 0;
}

/* Where the sample is that this one is to be added to: at the end, unless one without a pid is there. UNSEEN: no memory. */
static u32 find_sample(struct merge *merge, u32 labels, const struct interned *stack, u64 size)
{
	u32 place = merge->profile.sample_count, number;
	struct intern_key key = {0};
	int added;

	if (array_grow(&merge->profile.samples, place, 1))
		return UNSEEN;
	if (labels && merge->labels.sets[labels - 1].pid)
		return place;
	if (array_grow(&merge->shared, intern_count(&merge->samples), 1))
		return UNSEEN;
	intern_key_put_u64(&key, labels);
	intern_key_put_u64(&key, stack ? stack->index : UNSEEN);
	intern_key_put_u64(&key, size);
	added = intern_add_key(&merge->samples, &key, &number);
	if (added < 0)
		return UNSEEN;
	if (added)
		merge->shared[number] = place;
	return merge->shared[number];
}

static int add_sample(struct passage *passage, const struct profile_sample *from, u32 labels)
{
	struct profile *profile = &passage->merge->profile;
	const struct interned *stack;
	struct profile_sample *to;
	int err = add_stack(passage, from, &stack);
	u32 place;

	if (err)
		return err;
	place = find_sample(passage->merge, labels, stack, from->size);
	if (place == UNSEEN)
		return -ENOMEM;
	to = &profile->samples[place];
	if (place == profile->sample_count) {
		*to = (struct profile_sample){.labels = labels, .size = from->size, .depth = from->depth};
		to->location = stack ? (u32 *)stack->bytes : NULL;
		profile->sample_count++;
	}
	to->alloc_count += from->alloc_count;
	to->inuse_count += from->inuse_count;
	return sample_residency_add(to, from->residency);
}

/* --- profiles --- */

static u32 *unseen(u32 count)
{
	u32 *table = malloc((count + 1UL) * sizeof(*table));

	if (table)
		memset(table, 0xff, (count + 1UL) * sizeof(*table));
	return table;
}

static int passage_open(struct passage *passage, struct merge *merge, const struct profile *from)
{
	u32 depth = 0;

	for (u32 i = 0; i < from->sample_count; i++)
		depth = from->samples[i].depth > depth ? from->samples[i].depth : depth;
	*passage = (struct passage){
		.merge = merge,
		.from = from,
		.mapping = unseen(from->mapping_count),
		.location = unseen(from->location_count),
		.labels = unseen(from->label_count),
		.stack = unseen(depth),
	};
	return passage->mapping && passage->location && passage->labels && passage->stack ? 0 : -ENOMEM;
}

static void passage_close(struct passage *passage)
{
	free(passage->mapping);
	free(passage->location);
	free(passage->labels);
	free(passage->stack);
}

/* The labels' number here; a sample that has none (0) gets `instead`. */
static int pass_labels(struct passage *passage, u32 number, u32 instead, u32 *ret_labels)
{
	u32 *seen;
	int err = 0;

	*ret_labels = instead;
	if (!number)
		return 0;
	if (number > passage->from->label_count)
		return -EINVAL;
	seen = &passage->labels[number - 1];
	if (*seen == UNSEEN)
		err = labels_add(&passage->merge->labels, &passage->from->labels[number - 1], seen);
	*ret_labels = *seen;
	return err;
}

static int add_samples(struct merge *merge, const struct profile *from,
		       bool (*wanted)(const struct profile_labels *labels, const void *arg), const void *arg,
		       u32 instead)
{
	struct passage passage;
	int err = passage_open(&passage, merge, from);

	for (u32 i = 0; i < from->sample_count && !err; i++) {
		const struct profile_sample *sample = &from->samples[i];
		u32 labels;

		if (wanted && (!sample->labels || sample->labels > from->label_count ||
			       !wanted(&from->labels[sample->labels - 1], arg)))
			continue;
		err = pass_labels(&passage, sample->labels, instead, &labels);
		if (!err)
			err = add_sample(&passage, sample, labels);
	}
	passage_close(&passage);
	merge->profile.labels = merge->labels.sets;
	merge->profile.label_count = merge->labels.count;
	return err;
}

static void take_kind(struct profile *sum, const struct profile *first)
{
	if (sum->sample_bytes)
		return;
	sum->kind = first->kind;
	sum->sample_bytes = first->sample_bytes;
	sum->alloc_only = first->alloc_only;
}

bool merge_can_add(const struct profile *one, const struct profile *other)
{
	return one->kind == other->kind && one->sample_bytes == other->sample_bytes &&
	       one->alloc_only == other->alloc_only;
}

static int agree(struct merge *merge, const struct profile *from)
{
	take_kind(&merge->profile, from);
	return merge_can_add(&merge->profile, from) ? 0 : -EINVAL;
}

int merge_add(struct merge *merge, const struct profile *profile, const struct profile_labels *labels)
{
	int err = agree(merge, profile);
	u32 number = 0;

	if (!err && labels)
		err = labels_add(&merge->labels, labels, &number);
	if (!err)
		err = add_samples(merge, profile, NULL, NULL, number);
	if (!err)
		merge_facts(&merge->profile, profile);
	return err;
}

int merge_select(struct merge *merge, const struct profile *from,
		 bool (*wanted)(const struct profile_labels *labels, const void *arg), const void *arg)
{
	int err = agree(merge, from);

	return err ? err : add_samples(merge, from, wanted, arg, 0);
}

static double cost(const struct profile *profile)
{
	return profile->hit_cost_ns *
	       (double)(profile->ledger[COUNTER_HITS_ALLOC] + profile->ledger[COUNTER_HITS_FREE]);
}

static void add_ended(struct profile_ended *sum, const struct profile *more)
{
	u64 total[MEASURE_MAX];

	if (more->processes) {
		sum->processes += more->ended.processes;
		sum->inuse_objects += more->ended.inuse_objects;
		sum->inuse_space += more->ended.inuse_space;
	} else if (more->exited) {
		profile_totals(more, total);
		sum->processes += !more->go.beside;
		sum->inuse_objects += total[INUSE_OBJECTS];
		sum->inuse_space += total[INUSE_SPACE];
	}
}

void merge_facts(struct profile *sum, const struct profile *more)
{
	double cost_ns = cost(sum) + cost(more), hits;
	u64 end = more->start_unix_ns + more->duration_ns, sum_end = sum->start_unix_ns + sum->duration_ns;

	for (unsigned int i = 0; i < COUNTER_MAX; i++)
		sum->ledger[i] += more->ledger[i];
	hits = (double)(sum->ledger[COUNTER_HITS_ALLOC] + sum->ledger[COUNTER_HITS_FREE]);
	sum->cpu_ns += more->cpu_ns;
	sum->hit_cost_ns = hits > 0 ? cost_ns / hits : 0;
	sum->slowdown_percent = sum->cpu_ns ? 100 * cost_ns / (double)sum->cpu_ns : 0;
	if (!sum->processes || more->start_unix_ns < sum->start_unix_ns)
		sum->start_unix_ns = more->start_unix_ns;
	end = sum->processes && sum_end > end ? sum_end : end;
	sum->duration_ns = end - sum->start_unix_ns;
	/* A process with two profiles is one. */
	if (!more->go.beside)
		sum->processes += more->processes ? more->processes : 1;
	add_ended(&sum->ended, more);
	if (!more->exited)
		memory_add(&sum->memory, &more->memory);
	take_kind(sum, more);
	restraint_add(&sum->restraint, &more->restraint);
}

void merge_describe(struct merge *merge, const struct profile *facts)
{
	struct profile tables = merge->profile, *profile = &merge->profile;

	*profile = *facts;
	profile->mappings = tables.mappings;
	profile->mapping_count = tables.mapping_count;
	profile->locations = tables.locations;
	profile->location_count = tables.location_count;
	profile->samples = tables.samples;
	profile->sample_count = tables.sample_count;
	profile->labels = tables.labels;
	profile->label_count = tables.label_count;
	profile->stacks = tables.stacks;
	profile->texts = tables.texts;
	profile->memory_notes = NULL;
	profile->regions = NULL;
}

const struct profile *merge_profile(const struct merge *merge)
{
	return &merge->profile;
}

struct merge *merge_new(void)
{
	struct merge *merge = calloc(1, sizeof(*merge));

	if (!merge)
		return NULL;
	merge->place = MERGE_TABLES_PLACE;
	merge->profile.comm = (char *)"all";
	merge->profile.stem = (char *)"all";
	return merge;
}

void merge_free(struct merge *merge)
{
	if (!merge)
		return;
	for (u32 i = 0; i < merge->profile.location_count; i++)
		free(merge->profile.locations[i].lines);
	for (u32 i = 0; i < merge->profile.sample_count; i++)
		sample_residency_free(merge->profile.samples[i].residency);
	free(merge->profile.mappings);
	free(merge->profile.locations);
	free(merge->profile.samples);
	free(merge->shared);
	label_table_release(&merge->labels);
	intern_release(&merge->profile.texts);
	intern_release(&merge->mappings);
	intern_release(&merge->locations);
	intern_release(&merge->stacks);
	intern_release(&merge->samples);
	free(merge);
}
