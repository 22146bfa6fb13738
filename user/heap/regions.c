/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/regions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"

/* What one call has mapped, or what is left of it. */
struct region {
	struct region_site *site; /* of what is left; NULL: there was no memory for it */
	u64 stack;
	u64 start, size; /* as it was mapped */
	u64 left;	 /* bytes */
	u64 born_ns;
	bool cut;
	enum region_call call;
};

/* Pages of a region, side by side. */
struct region_extent {
	u64 start, end;
	struct region *region;
};

static u64 page_up(u64 bytes)
{
	return (bytes + REGION_PAGE - 1) / REGION_PAGE * REGION_PAGE;
}

/* --- sites ---------------------------------------------------------------------------------------------------------- */

static struct region_site *site_find(const struct regions *regions, u64 stack, u64 size)
{
	struct region_site_key key = {.stack = stack, .size = size};
	struct region_site *site;

	HASH_FIND(hh, regions->sites, &key, sizeof(key), site);
	return site;
}

/* NULL: no memory. */
static struct region_site *site_get(struct regions *regions, u64 stack, u64 size, struct quota_share *share)
{
	struct region_site *site = site_find(regions, stack, size);

	if (!site && stack && !quota_take(share)) {
		stack = 0;
		site = site_find(regions, stack, size);
	}
	if (site)
		return site;
	site = calloc(1, sizeof(*site));
	if (!site)
		return NULL;
	site->key = (struct region_site_key){.stack = stack, .size = size};
	HASH_ADD(hh, regions->sites, key, sizeof(site->key), site);
	return hash_kept(&site->hh, site);
}

/* Sizes that parts were once left with come and go. */
static void site_leave(struct regions *regions, struct region_site *site)
{
	if (!site)
		return;
	site->living_count--;
	if (site->living_count || site->mapped_count)
		return;
	HASH_DEL(regions->sites, site);
	free(site);
}

/* --- regions -------------------------------------------------------------------------------------------------------- */

/* So many of its bytes have been unmapped. Frees it with the last. 0 or -ENOMEM. */
static int region_lose(struct regions *regions, struct region *region, u64 bytes, struct quota_share *share)
{
	regions->unmapped_bytes += bytes;
	region->left -= bytes;
	site_leave(regions, region->site);
	region->site = NULL;
	if (!region->left) {
		free(region);
		return 0;
	}
	regions->partial_count += !region->cut;
	region->cut = true;
	region->site = site_get(regions, region->stack, region->left, share);
	if (!region->site)
		return -ENOMEM;
	region->site->living_count++;
	return 0;
}

/* The first extent that ends behind `addr`. */
static u32 extent_at(const struct regions *regions, u64 addr)
{
	u32 low = 0, high = regions->extent_count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (regions->extents[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Make room for an extent at that place of the list. 0 or -ENOMEM. */
static int extent_insert(struct regions *regions, u32 place, struct region_extent extent)
{
	if (array_grow(&regions->extents, regions->extent_count, 1))
		return -ENOMEM;
	memmove(&regions->extents[place + 1], &regions->extents[place],
		(regions->extent_count - place) * sizeof(*regions->extents));
	regions->extents[place] = extent;
	regions->extent_count++;
	return 0;
}

static void extents_remove(struct regions *regions, u32 first, u32 count)
{
	memmove(&regions->extents[first], &regions->extents[first + count],
		(regions->extent_count - first - count) * sizeof(*regions->extents));
	regions->extent_count -= count;
}

static u64 least(u64 a, u64 b)
{
	return a < b ? a : b;
}

static u64 most(u64 a, u64 b)
{
	return a > b ? a : b;
}

struct range_cut {
	u64 start, end;		   /* what is unmapped */
	u64 before_ns;		   /* of regions that were born by then */
	const struct region *only; /* of that one; NULL: of any */
	u64 covered;		   /* bytes that were in regions, also in younger ones */
	struct quota_share *share;
};

/* What it takes away of an extent that it overlaps, whose rest may be nothing, a beginning, an end, or both. 0 or -ENOMEM. */
static int extent_cut(struct regions *regions, u32 *place, struct range_cut *cut)
{
	struct region_extent *extent = &regions->extents[*place], rest = *extent;
	u64 start = most(extent->start, cut->start), end = least(extent->end, cut->end);
	int err = 0;

	if (!cut->only)
		cut->covered += end - start;
	if (extent->region->born_ns > cut->before_ns || (cut->only && extent->region != cut->only)) {
		++*place;
		return 0;
	}
	rest.start = end;
	if (extent->start < start && end < rest.end) {
		err = extent_insert(regions, *place + 1, rest);
		if (err)
			return err;
		extent = &regions->extents[*place];
	}
	if (extent->start < start) {
		extent->end = start;
		++*place;
	} else if (end < extent->end) {
		extent->start = end;
		++*place;
	} else {
		extents_remove(regions, *place, 1);
	}
	return region_lose(regions, rest.region, end - start, cut->share);
}

static int cut_range(struct regions *regions, struct range_cut *cut)
{
	int err = 0;

	for (u32 i = extent_at(regions, cut->start);
	     !err && i < regions->extent_count && regions->extents[i].start < cut->end;)
		err = extent_cut(regions, &i, cut);
	return err;
}

/* --- calls ---------------------------------------------------------------------------------------------------------- */

/* Those born after `before_ns` stay. */
static int unmap(struct regions *regions, u64 addr, u64 size, u64 before_ns, struct quota_share *share)
{
	struct range_cut cut = {addr, addr + page_up(size), before_ns, NULL, 0, share};
	int err = cut.end > cut.start ? cut_range(regions, &cut) : 0;

	regions->unpaired_count += !err && cut.covered < cut.end - cut.start;
	return err;
}

/* What was there has given way to it. */
static int map(struct regions *regions, const struct event_region *event, u64 addr, u64 size, u64 stack,
	       struct quota_share *share)
{
	struct range_cut cut = {addr, addr + page_up(size), UINT64_MAX, NULL, 0, share};
	struct region *region;
	int err;

	if (cut.end <= cut.start)
		return 0;
	err = cut_range(regions, &cut);
	region = err ? NULL : calloc(1, sizeof(*region));
	if (!region)
		return -ENOMEM;
	*region = (struct region){.stack = stack,
				  .start = addr,
				  .size = cut.end - cut.start,
				  .left = cut.end - cut.start,
				  .born_ns = event->header.time_ns,
				  .call = event->call,
				  .site = site_get(regions, stack, cut.end - cut.start, share)};
	err = region->site ? extent_insert(regions, extent_at(regions, addr),
					   (struct region_extent){cut.start, cut.end, region})
			   : -ENOMEM;
	if (err) {
		free(region);
		return err;
	}
	regions->no_room_count += region->site->key.stack != stack;
	region->site->mapped_count++;
	region->site->living_count++;
	regions->mapped_bytes += region->left;
	return 0;
}

/* With an old size of 0, and with MREMAP_DONTUNMAP, the old place stays mapped. */
static int remap(struct regions *regions, const struct event_region *event, u64 stack, struct quota_share *share)
{
	u64 old_size = page_up(event->old_size), size = page_up(event->size);
	int err = 0;

	if (event->addr == event->old_addr && size <= old_size)
		return size < old_size ? unmap(regions, event->addr + size, old_size - size, event->entered_ns, share)
				       : 0;
	if (old_size && !(event->flags & MREMAP_DONTUNMAP))
		err = unmap(regions, event->old_addr, old_size, event->entered_ns, share);
	return err ? err : map(regions, event, event->addr, size, stack, share);
}

static int set_break(struct regions *regions, const struct event_region *event, u64 stack, struct quota_share *share)
{
	u64 before = page_up(event->old_addr), now = page_up(event->addr);

	return now >= before ? map(regions, event, before, now - before, stack, share)
			     : unmap(regions, now, before - now, event->entered_ns, share);
}

/* As the kernel, which goes by where a segment was attached, whatever has become of its first pages. */
static int detach(struct regions *regions, const struct event_region *event, struct quota_share *share)
{
	u32 place = extent_at(regions, event->addr);
	struct range_cut cut = {event->addr, UINT64_MAX, event->entered_ns, NULL, 0, share};

	for (; place < regions->extent_count && !cut.only; place++) {
		const struct region *region = regions->extents[place].region;

		if (region->call != REGION_SHMAT || region->start != event->addr || region->born_ns > cut.before_ns)
			continue;
		cut.only = region;
		cut.end = event->addr + region->size;
	}
	if (cut.only)
		return cut_range(regions, &cut);
	regions->unpaired_count++;
	return 0;
}

int regions_apply(struct regions *regions, const struct event_region *event, u64 stack, struct quota_share *share)
{
	switch ((enum region_call)event->call) {
	case REGION_MMAP:
	case REGION_SHMAT:
		return map(regions, event, event->addr, event->size, stack, share);
	case REGION_MUNMAP:
		return unmap(regions, event->addr, event->size, event->entered_ns, share);
	case REGION_MREMAP:
		return remap(regions, event, stack, share);
	case REGION_BRK:
		return set_break(regions, event, stack, share);
	case REGION_SHMDT:
		return detach(regions, event, share);
	default:
		return 0;
	}
}

void regions_release(struct regions *regions)
{
	/* A region is freed with its last page. */
	while (regions->extent_count) {
		struct region_extent *last = &regions->extents[--regions->extent_count];

		last->region->left -= last->end - last->start;
		if (!last->region->left)
			free(last->region);
	}
	free(regions->extents);
	hash_release(regions->sites, free);
	*regions = (struct regions){0};
}
