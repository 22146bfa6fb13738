/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/population.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profile/ledger.h"
#include "profile/merge.h"

/* --- sums --- */

static void add(struct index_entry *sum, const struct index_entry *more)
{
	sum->samples += more->samples;
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		sum->total[m] += more->total[m];
		sum->stderr_total[m] = hypot(sum->stderr_total[m], more->stderr_total[m]);
	}
}

static void add_ended(struct profile_ended *sum, const struct profile_ended *more)
{
	sum->processes += more->processes;
	sum->inuse_objects += more->inuse_objects;
	sum->inuse_space += more->inuse_space;
}

/* What a Go program kept itself has Go's interval, and is never of --alloc-only: others tell what was asked for. */
static void take_interval(struct population *population, const struct profile *facts)
{
	if (facts->go.version[0] || population->traced)
		return;
	population->traced = true;
	population->facts.sample_bytes = facts->sample_bytes;
	population->facts.alloc_only = facts->alloc_only;
}

void population_add(struct population *population, const struct index_entry *entry)
{
	const struct profile_ended more = index_entry_ended(entry);
	struct profile_ended ended = population->facts.ended;

	merge_facts(&population->facts, entry->facts);
	take_interval(population, entry->facts);
	add_ended(&ended, &more);
	population->facts.ended = ended; /* the tables by which merge_facts tells are gone */
	population->sum.facts = &population->facts;
	add(&population->sum, entry);
	population->living = population->facts.processes - ended.processes;
	population->inuse_space += index_entry_inuse_now(entry);
	/* One of which some live has its error as a whole. */
	if (!entry->facts->exited)
		population->inuse_error = hypot(population->inuse_error, entry->stderr_total[INUSE_SPACE]);
	population->lost += ledger_losses(entry->facts->ledger).count;
}

void population_sum(const struct index_entry *entries, u32 count, struct population *ret_population)
{
	*ret_population = (struct population){.sum = {.facts = &ret_population->facts}};
	for (u32 i = 0; i < count; i++)
		population_add(ret_population, &entries[i]);
}

/* --- growth --- */

static bool is_growing(const struct index_entry *entry)
{
	return entry->lifespan.verdict == VERDICT_GROWING && !entry->facts->exited;
}

static bool same_group(const struct profile *a, const struct profile *b)
{
	return a->cgroup && b->cgroup && !strcmp(a->cgroup, b->cgroup);
}

double population_time_left(const struct index_entry *entries, u32 count, const struct index_entry *entry)
{
	struct lifetime_summary group = {.growth = is_growing(entry) ? entry->lifespan.growth : 0};

	if (!is_growing(entry) || !entry->facts->memory_limit)
		return INFINITY;
	for (u32 i = 0; i < count; i++)
		if (&entries[i] != entry && is_growing(&entries[i]) && same_group(entries[i].facts, entry->facts))
			group.growth += entries[i].lifespan.growth;
	return lifetime_summary_time_left(entry->facts, &group);
}

/* In the order of their groups, and within one in that of the entries. Those of unknown groups come first. */
static int by_group(const void *a, const void *b)
{
	const struct index_entry *left = *(const struct index_entry *const *)a;
	const struct index_entry *right = *(const struct index_entry *const *)b;
	const char *l = left->facts->cgroup, *r = right->facts->cgroup;
	int order = l && r ? strcmp(l, r) : !!l - !!r;

	return order ? order : (left > right) - (left < right);
}

static double group_time_left(const struct index_entry *const *members, u32 count)
{
	struct lifetime_summary group = {0};
	double left_s = INFINITY;

	for (u32 i = 0; i < count; i++)
		group.growth += members[i]->lifespan.growth;
	for (u32 i = 0; i < count; i++)
		left_s = fmin(left_s, lifetime_summary_time_left(members[i]->facts, &group));
	return left_s;
}

/* Until the first group reaches its limit. Each is summed up once, since there may be thousands of processes in one. */
static double first_time_left(const struct index_entry *entries, u32 count)
{
	const struct index_entry **growing = malloc((count + 1UL) * sizeof(const struct index_entry *));
	double left_s = INFINITY;
	u32 found = 0;

	for (u32 i = 0; i < count; i++) {
		if (growing && is_growing(&entries[i]))
			growing[found++] = &entries[i];
		else if (!growing)
			left_s = fmin(left_s, population_time_left(entries, count, &entries[i]));
	}
	if (found)
		qsort(growing, found, sizeof(const struct index_entry *), by_group);
	for (u32 first = 0, end = 0; first < found; first = end) {
		while (end == first || (end < found && same_group(growing[first]->facts, growing[end]->facts)))
			end++;
		left_s = fmin(left_s, group_time_left(&growing[first], end - first));
	}
	free(growing);
	return left_s;
}

/* An index has no model of a process, but its verdict; at least a tick has passed each second. */
static void take_ticks(const struct index_entry *entry, struct population_growth *growth)
{
	const struct profile_model *model = &entry->facts->model;
	bool judged = entry->lifespan.samples && entry->lifespan.verdict != VERDICT_UNKNOWN;
	u32 ticks = model->known ? model->ticks : judged ? (u32)(entry->facts->duration_ns / 1000000000) : 0;

	growth->known |= model->known ? model->gogc_percent > 0 : judged;
	growth->ticks = ticks > growth->ticks ? ticks : growth->ticks;
}

struct population_growth population_growth(const struct index_entry *entries, u32 count)
{
	struct population_growth growth = {.left_s = first_time_left(entries, count)};
	double variance = 0;

	for (u32 i = 0; i < count; i++) {
		const struct lifetime_summary *lifespan = &entries[i].lifespan;

		take_ticks(&entries[i], &growth);
		if (!is_growing(&entries[i]))
			continue;
		growth.processes++;
		growth.bytes += lifespan->growth;
		variance += lifespan->growth_error * lifespan->growth_error;
	}
	growth.error = sqrt(variance);
	return growth;
}
