/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/index_entry.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/string_list.h"
#include "profile/sites.h"

#define GROWTH_SECONDS 60
#define WEIGHT_BITS    62
#define WEIGHT_MAX     ((1ULL << WEIGHT_BITS) - 1)

struct index_entry index_entry_of(const struct profile *profile, char *const *files)
{
	static char *const none[] = {NULL};
	const struct profile_site sums = profile_sites_sum(profile);
	struct index_entry entry = {.facts = profile, .files = files ? files : none, .samples = sums.alloc_samples};

	memcpy(entry.total, sums.value, sizeof(entry.total));
	memcpy(entry.stderr_total, sums.stderr_value, sizeof(entry.stderr_total));
	if (profile->model.known) /* without memory for it the verdict stays unknown */
		lifetime_summary_of_process(profile, &entry.lifespan);
	entry.regions_known = profile->regions;
	if (profile->regions) {
		profile_region_totals(profile->regions, false, entry.program_regions);
		profile_region_totals(profile->regions, true, entry.allocator_regions);
		memcpy(entry.region_ledger, profile->regions->ledger, sizeof(entry.region_ledger));
	}
	return entry;
}

static void add_sums(struct index_entry *entry, const u64 total[MEASURE_MAX], const double error[MEASURE_MAX],
		     u64 samples)
{
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		entry->total[m] += total[m];
		entry->stderr_total[m] = hypot(entry->stderr_total[m], error[m]);
	}
	entry->samples += samples;
}

void index_entry_add(struct index_entry *entry, const struct profile *beside)
{
	const struct profile_site sums = profile_sites_sum(beside);

	add_sums(entry, sums.value, sums.stderr_value, sums.alloc_samples);
}

bool index_entry_is_beside(const struct index_entry *entry, const struct index_entry *before)
{
	const struct profile *facts = entry->facts, *other = before->facts;

	return facts->go.beside && !other->go.beside && facts->pid == other->pid && facts->image == other->image;
}

struct profile_ended index_entry_ended(const struct index_entry *entry)
{
	if (entry->facts->processes || !entry->facts->exited)
		return entry->facts->ended;
	return (struct profile_ended){!entry->facts->go.beside, entry->total[INUSE_OBJECTS], entry->total[INUSE_SPACE]};
}

u64 index_entry_inuse_now(const struct index_entry *entry)
{
	u64 ended = index_entry_ended(entry).inuse_space;

	return entry->total[INUSE_SPACE] > ended ? entry->total[INUSE_SPACE] - ended : 0;
}

/* --- which one comes first --- */

/*
 * What to look at first: what grows and what the OOM killer ended; then what lives on, then what has ended. An entry of merged
 * processes lives as long as one of them.
 */
static u64 urgency(const struct index_entry *entry)
{
	if (entry->lifespan.verdict == VERDICT_GROWING || entry->facts->exit.oom_killed)
		return 2;
	return index_entry_ended(entry).processes < (entry->facts->processes ? entry->facts->processes : 1);
}

/* What is in an index may be any number. */
static u64 minute_of_growth(const struct index_entry *entry)
{
	double bytes = GROWTH_SECONDS * entry->lifespan.growth;

	if (!(bytes > 0))
		return 0;
	return bytes < (double)WEIGHT_MAX ? (u64)bytes : WEIGHT_MAX;
}

/*
 * In use, or what resident memory has grown by where that is more, as with memory that does not come from the allocator; and
 * a minute of growth, which is what a leak will be when a cache is full. At most WEIGHT_MAX.
 */
static u64 weight(const struct index_entry *entry)
{
	const struct profile *facts = entry->facts;
	u64 grown = facts->rss_end_bytes > facts->rss_start_bytes ? facts->rss_end_bytes - facts->rss_start_bytes : 0;
	u64 size = entry->total[INUSE_SPACE] > grown ? entry->total[INUSE_SPACE] : grown;
	u64 more = minute_of_growth(entry);

	return size < WEIGHT_MAX - more ? size + more : WEIGHT_MAX;
}

u64 index_entry_rank(const struct index_entry *entry)
{
	return urgency(entry) << WEIGHT_BITS | weight(entry);
}

/* --- tables --- */

int index_table_add(struct index_table *table, struct profile *profile, char **files)
{
	if (!files)
		files = calloc(1, sizeof(*files));
	if (!files || array_grow(&table->entries, table->count, 1)) {
		string_list_free(files);
		profile_free(profile);
		return -ENOMEM;
	}
	table->entries[table->count++] = index_entry_of(profile, files);
	profile_strip(profile);
	return 0;
}

static int copy_entry(const struct index_entry *from, struct index_table *table)
{
	struct profile *facts = profile_copy_facts(from->facts);
	char **files = facts ? string_list_copy(from->files) : NULL;
	struct index_entry *entry;

	if (!files) {
		profile_free(facts);
		return -ENOMEM;
	}
	if (index_table_add(table, facts, files))
		return -ENOMEM;
	entry = &table->entries[table->count - 1];
	memcpy(entry->total, from->total, sizeof(entry->total));
	memcpy(entry->stderr_total, from->stderr_total, sizeof(entry->stderr_total));
	entry->samples = from->samples;
	entry->lifespan = from->lifespan;
	entry->regions_known = from->regions_known;
	memcpy(entry->program_regions, from->program_regions, sizeof(entry->program_regions));
	memcpy(entry->allocator_regions, from->allocator_regions, sizeof(entry->allocator_regions));
	memcpy(entry->region_ledger, from->region_ledger, sizeof(entry->region_ledger));
	return 0;
}

int index_table_copy(const struct index_table *from, struct index_table *table)
{
	int err = 0;

	for (u32 i = 0; i < from->count && !err; i++)
		err = copy_entry(&from->entries[i], table);
	return err;
}

static int compare_begin(const void *a, const void *b)
{
	const struct profile *left = ((const struct index_entry *)a)->facts;
	const struct profile *right = ((const struct index_entry *)b)->facts;

	if (left->start_unix_ns != right->start_unix_ns)
		return left->start_unix_ns < right->start_unix_ns ? -1 : 1;
	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	if (left->image != right->image)
		return left->image < right->image ? -1 : 1;
	return (int)left->go.beside - (int)right->go.beside;
}

void index_table_sort(struct index_table *table)
{
	if (table->count)
		qsort(table->entries, table->count, sizeof(*table->entries), compare_begin);
}

static void release_entry(struct index_entry *entry)
{
	string_list_free((char **)entry->files);
	profile_free((struct profile *)entry->facts);
}

void index_table_join(struct index_table *table)
{
	u32 kept = 0;

	for (u32 i = 0; i < table->count; i++) {
		struct index_entry *entry = &table->entries[i], *before = kept ? &table->entries[kept - 1] : NULL;

		if (before && index_entry_is_beside(entry, before)) {
			add_sums(before, entry->total, entry->stderr_total, entry->samples);
			release_entry(entry);
		} else {
			table->entries[kept++] = *entry;
		}
	}
	table->count = kept;
}

void index_table_release(struct index_table *table)
{
	for (u32 i = 0; i < table->count; i++)
		release_entry(&table->entries[i]);
	free(table->entries);
}
