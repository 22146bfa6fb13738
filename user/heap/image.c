/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/image.h"

#include <stdlib.h>
#include <string.h>

#include "profile/estimate.h"
#include "profile/memory_reading.h"
#include "heap/go_profile.h"
#include "heap/restraint.h"
#include "system/address_map.h"

struct image *image_new(u32 number, u32 pid, u32 ordinal, u64 sample_bytes, u64 now_ns)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image)
		return NULL;
	image->root.fd = -1;
	image->mappings = address_map_new();
	image->memory = last_memory_new();
	if (!image->mappings || !image->memory) {
		image_free(image);
		return NULL;
	}
	image->number = number;
	image->pid = pid;
	image->ordinal = ordinal;
	image->start_ns = now_ns;
	heap_init(&image->heap, sample_bytes);
	return image;
}

void image_drop_heap(struct image *image)
{
	regions_release(&image->regions);
	heap_release(&image->heap);
	stack_table_release(&image->stacks);
}

void image_free(struct image *image)
{
	if (!image)
		return;
	image_drop_heap(image);
	go_reading_free(image->go);
	address_map_free(image->mappings);
	root_fs_close(&image->root);
	last_memory_release(image->memory);
	free(image->exe);
	free(image->cgroup);
	free(image->memory_directory);
	free(image->memory_path);
	free(image->container_id);
	free(image->container_name);
	free(image);
}

void image_set_comm(struct image *image, const char *comm)
{
	memset(image->comm, 0, sizeof(image->comm));
	memcpy(image->comm, comm, strnlen(comm, sizeof(image->comm) - 1));
}

void image_begin_rss(struct image *image, u64 bytes)
{
	image->rss_start_bytes = image->rss_end_bytes = bytes;
}

void image_see_rss(struct image *image, u64 bytes)
{
	if (bytes > image->rss_peak_seen && !image->heap.frozen_ns) {
		image->rss_peak_seen = bytes;
		image->rss_peak_inuse = estimate_truncate(image->heap.inuse_bytes);
	}
	if (bytes)
		image->rss_end_bytes = bytes;
	image_see_peak(image, bytes);
}

void image_see_peak(struct image *image, u64 bytes)
{
	const u64 seen[] = {bytes, image->rss_start_bytes, image->rss_end_bytes};

	for (unsigned int i = 0; bytes && i < sizeof(seen) / sizeof(*seen); i++)
		if (seen[i] > image->rss_peak_bytes)
			image->rss_peak_bytes = seen[i];
}

void image_tick(struct image *image, u64 now_ns)
{
	const struct restraint_state *restraint = image->restraint;

	if (restraint && !restraint_knows_frees(restraint, now_ns))
		heap_freeze(&image->heap, restraint->frees_ended_ns);
	if (!image->heap.frozen_ns)
		gc_model_tick(&image->heap.gc, now_ns);
}

void image_balance(struct image *image)
{
	u64 left = image->heap.inuse_count, unfollowed = image->heap.unfollowed_count;
	u64 refused = image->ledger[COUNTER_REFUSED];

	image->ledger[COUNTER_FREED] = image->heap.freed_count;
	image->ledger[COUNTER_STACK_NO_ROOM] = image->heap.no_room_count;
	image->ledger[COUNTER_MAPPING_UNPAIRED] = image->regions.unpaired_count;
	image->ledger[COUNTER_MAPPING_PARTIAL] = image->regions.partial_count;
	image->ledger[COUNTER_LIVE] = image->ended ? 0 : left;
	image->ledger[COUNTER_ENDED] = image->ended ? left : 0;
	/*
	 * What the live map refused is not followed either, but has a term of its own. More may have
	 * been refused in a living image than events have reported.
	 */
	image->ledger[COUNTER_ENTRY_ONLY] = unfollowed > refused ? unfollowed - refused : 0;
}
