/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Announced images; filled from the side-band and emptied by the ring, both through the recorder. */
#include "heap/pending_images.h"

#include <errno.h>
#include <stdlib.h>

#include "system/address_map.h"

static void pending_images_free(struct pending_image *pending_image)
{
	address_map_free(pending_image->mappings);
	free(pending_image);
}

void pending_images_release(struct pending_images *list)
{
	while (list->newest) {
		struct pending_image *pending_image = list->newest;

		list->newest = pending_image->next;
		pending_images_free(pending_image);
	}
}

int pending_images_announce(struct pending_images *list, u32 pid, u64 now_ns, struct address_map *mappings)
{
	struct pending_image *pending_image = mappings ? calloc(1, sizeof(*pending_image)) : NULL;

	if (!pending_image) {
		address_map_free(mappings);
		return -ENOMEM;
	}
	*pending_image =
		(struct pending_image){.pid = pid, .from_ns = now_ns, .mappings = mappings, .next = list->newest};
	list->newest = pending_image;
	return 0;
}

struct pending_image *pending_images_at(const struct pending_images *list, u32 pid, u64 time_ns)
{
	struct pending_image *pending_image = list->newest;

	while (pending_image && (pending_image->pid != pid || pending_image->from_ns > time_ns))
		pending_image = pending_image->next;
	return pending_image;
}

struct pending_image *pending_images_find(const struct pending_images *list, u32 pid)
{
	return pending_images_at(list, pid, UINT64_MAX);
}

struct address_map *pending_images_take(struct pending_images *list, u32 pid, u64 now_ns)
{
	struct pending_image **link = &list->newest, *pending_image;
	struct address_map *mappings = NULL;

	while ((pending_image = *link)) {
		if (pending_image->pid != pid || pending_image->from_ns > now_ns) {
			link = &pending_image->next;
			continue;
		}
		*link = pending_image->next;
		if (!mappings) {
			mappings = pending_image->mappings;
			pending_image->mappings = NULL;
		}
		pending_images_free(pending_image);
	}
	return mappings;
}

void pending_images_expire(struct pending_images *list, u64 before_ns)
{
	struct pending_image **link = &list->newest, *pending_image;

	while ((pending_image = *link)) {
		if (pending_image->from_ns >= before_ns) {
			link = &pending_image->next;
			continue;
		}
		*link = pending_image->next;
		pending_images_free(pending_image);
	}
}
