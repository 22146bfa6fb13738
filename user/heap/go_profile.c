/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/go_profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/intern.h"
#include "base/text.h"
#include "heap/go_objects.h"
#include "heap/snapshot.h"
#include "heap/snapshot_facts.h"
#include "profile/memory_reading.h"
#include "system/address_map.h"

void go_reading_free(struct go_reading *reading)
{
	if (!reading)
		return;
	go_buckets_release(&reading->buckets);
	go_objects_release(reading);
	free(reading);
}

bool go_reading_has_profile(const struct go_reading *reading)
{
	return reading && reading->read_ns && reading->rate;
}

bool go_profile_is_all(const struct image *image)
{
	return go_reading_has_profile(image->go) && image->go->alone && !image->heap.alloc_count &&
	       !image->regions.sites;
}

/* --- where --- */

/* The program's own mappings, in which all of Go's code is but that of plugins. */
static int copy_mappings(const struct image *image, struct profile *profile)
{
	u32 count = address_map_count(image->mappings);

	profile->mappings = calloc(count + 1UL, sizeof(*profile->mappings));
	if (!profile->mappings)
		return -ENOMEM;
	for (u32 i = 0; i < count; i++) {
		const struct mapping *from = address_map_get(image->mappings, i);
		struct profile_mapping *to = &profile->mappings[profile->mapping_count];

		if (from->elf != image->go->elf)
			continue;
		*to = (struct profile_mapping){.start = from->start,
					       .end = from->end,
					       .file_offset = from->file_offset,
					       .device = from->device,
					       .inode = from->inode,
					       .elf = from->elf,
					       .build_id_size = from->build_id_size};
		memcpy(to->build_id, from->build_id, sizeof(to->build_id));
		if (text_copy(from->path, &to->path))
			return -ENOMEM;
		profile->mapping_count++;
	}
	return 0;
}

static u32 mapping_of(const struct profile *profile, u64 address)
{
	for (u32 i = 0; i < profile->mapping_count; i++)
		if (address >= profile->mappings[i].start && address < profile->mappings[i].end)
			return i;
	return MAPPING_UNKNOWN;
}

static int location_of(struct profile *profile, struct intern *known, u64 pc, u32 *ret_index)
{
	u64 address = pc ? pc - 1 : 0;
	const struct interned *entry;
	int added = intern_add(known, &address, sizeof(address), &entry);

	if (added < 0 || (added && array_grow(&profile->locations, profile->location_count, 1)))
		return -ENOMEM;
	if (added)
		profile->locations[profile->location_count++] =
			(struct profile_location){.address = address, .mapping = mapping_of(profile, address)};
	*ret_index = entry->index;
	return 0;
}

/* --- samples --- */

static int add_sample(const struct go_buckets *buckets, const struct go_bucket *bucket, struct intern *known,
		      struct profile *profile)
{
	struct profile_sample *sample = &profile->samples[profile->sample_count++];
	int err = 0;

	*sample = (struct profile_sample){
		.size = bucket->size, .alloc_count = bucket->allocs, .inuse_count = bucket->allocs - bucket->frees};
	sample->location = profile_stack(profile, bucket->depth);
	if (!sample->location)
		return -ENOMEM;
	for (; sample->depth < bucket->depth && !err; sample->depth++)
		err = location_of(profile, known, buckets->pcs[bucket->first + sample->depth],
				  &sample->location[sample->depth]);
	profile->ledger[COUNTER_SAMPLED] += bucket->allocs;
	profile->ledger[COUNTER_FREED] += bucket->frees;
	profile->ledger[profile->exited ? COUNTER_ENDED : COUNTER_LIVE] += bucket->allocs - bucket->frees;
	return err;
}

static int add_samples(const struct go_buckets *buckets, struct profile *profile)
{
	struct intern known = {0};
	int err = array_grow(&profile->locations, 0, 1);

	profile->samples = calloc(buckets->count + 1UL, sizeof(*profile->samples));
	err = profile->samples ? err : -ENOMEM;
	for (u32 i = 0; i < buckets->count && !err; i++)
		err = add_sample(buckets, &buckets->buckets[i], &known, profile);
	intern_release(&known);
	return err;
}

/* --- facts --- */

static int copy_facts(const struct recorder_options *options, const struct image *image, u64 now_ns,
		      struct profile *profile)
{
	const struct go_reading *reading = image->go;
	u64 end_ns = image->end_ns ? image->end_ns : now_ns;

	profile->pid = image->pid;
	profile->image = image->ordinal;
	profile->sample_bytes = reading->rate;
	profile->show_allocator = options->show_allocator;
	profile->duration_ns = end_ns > image->start_ns ? end_ns - image->start_ns : 0;
	profile->rss_start_bytes = image->rss_start_bytes;
	profile->rss_end_bytes = image->rss_end_bytes;
	profile->rss_peak_bytes = image->rss_peak_bytes;
	profile->exited = image->ended;
	profile->exit = image->exit;
	profile->memory_limit = image->memory_limit;
	profile->memory_used = image->memory_used;
	profile->go = (struct profile_go){.age_ns = end_ns > reading->read_ns ? end_ns - reading->read_ns : 0,
					  .cycle = reading->buckets.at_once ? 0 : reading->buckets.cycle,
					  .beside = !go_profile_is_all(image),
					  .elf = reading->elf,
					  .bias = reading->bias,
					  .module = reading->module};
	if (!profile->go.beside)
		profile->memory = last_memory_get(image->memory);
	memcpy(profile->go.version, reading->version, sizeof(profile->go.version));
	return snapshot_facts_copy_names(image, profile);
}

int go_profile_make(const struct recorder_options *options, const struct image *image, u64 now_ns, u64 start_unix_ns,
		    unsigned int parts, struct profile **ret_profile)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	int err = profile ? 0 : -ENOMEM;

	if (!err) {
		profile->start_unix_ns = start_unix_ns;
		err = copy_facts(options, image, now_ns, profile);
	}
	err = err ? err : copy_mappings(image, profile);
	err = err ? err : add_samples(&image->go->buckets, profile);
	err = err ? err
		  : go_objects_add(image, image->end_ns ? image->end_ns : now_ns, parts & SNAPSHOT_LIFETIMES, profile);
	if (err)
		profile_free(profile);
	else
		*ret_profile = profile;
	return err;
}
