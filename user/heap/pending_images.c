/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list, the newest announcement first: few are pending at a time. */
#include "heap/pending_images.h"

#include <errno.h>
#include <stdlib.h>

#include "system/address_map.h"

/* Take the announcement at *link out of the list. Its mappings are the caller's. */
static struct address_map *unlink_pending(struct pending_image **link)
{
	struct pending_image *pending = *link;
	struct address_map *mappings = pending->mappings;

	*link = pending->next;
	free(pending);
	return mappings;
}

void pending_images_release(struct pending_images *list)
{
	while (list->newest)
		address_map_free(unlink_pending(&list->newest));
}

int pending_images_announce(struct pending_images *list, u32 pid, u64 now_ns, struct address_map *mappings)
{
	struct pending_image *pending = mappings ? malloc(sizeof(*pending)) : NULL;

	if (!pending) {
		address_map_free(mappings);
		return -ENOMEM;
	}
	*pending = (struct pending_image){.pid = pid, .from_ns = now_ns, .mappings = mappings, .next = list->newest};
	list->newest = pending;
	return 0;
}

struct pending_image *pending_images_at(const struct pending_images *list, u32 pid, u64 time_ns)
{
	struct pending_image *pending = list->newest;

	while (pending && (pending->pid != pid || pending->from_ns > time_ns))
		pending = pending->next;
	return pending;
}

struct pending_image *pending_images_find(const struct pending_images *list, u32 pid)
{
	return pending_images_at(list, pid, UINT64_MAX);
}

struct address_map *pending_images_take(struct pending_images *list, u32 pid, u64 now_ns)
{
	struct address_map *newest = NULL;

	for (struct pending_image **link = &list->newest; *link;) {
		if ((*link)->pid != pid || (*link)->from_ns > now_ns)
			link = &(*link)->next;
		else if (!newest)
			newest = unlink_pending(link);
		else
			address_map_free(unlink_pending(link));
	}
	return newest;
}

void pending_images_expire(struct pending_images *list, u64 before_ns)
{
	for (struct pending_image **link = &list->newest; *link;) {
		if ((*link)->from_ns >= before_ns)
			link = &(*link)->next;
		else
			address_map_free(unlink_pending(link));
	}
}
