/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Announced images; filled from the side-band and emptied by the ring, both through the recorder. */
#include "heap/succession.h"

#include <errno.h>
#include <stdlib.h>

#include "system/address_map.h"

static void succession_free(struct succession *succession)
{
	address_map_free(succession->mappings);
	free(succession);
}

void succession_list_release(struct succession_list *list)
{
	while (list->newest) {
		struct succession *succession = list->newest;

		list->newest = succession->next;
		succession_free(succession);
	}
}

int succession_announce(struct succession_list *list, u32 pid, u64 now_ns, struct address_map *mappings)
{
	struct succession *succession = mappings ? calloc(1, sizeof(*succession)) : NULL;

	if (!succession) {
		address_map_free(mappings);
		return -ENOMEM;
	}
	*succession = (struct succession){.pid = pid, .from_ns = now_ns, .mappings = mappings, .next = list->newest};
	list->newest = succession;
	return 0;
}

struct succession *succession_at(const struct succession_list *list, u32 pid, u64 time_ns)
{
	struct succession *succession = list->newest;

	while (succession && (succession->pid != pid || succession->from_ns > time_ns))
		succession = succession->next;
	return succession;
}

struct succession *succession_find(const struct succession_list *list, u32 pid)
{
	return succession_at(list, pid, UINT64_MAX);
}

struct address_map *succession_take(struct succession_list *list, u32 pid, u64 now_ns)
{
	struct succession **link = &list->newest, *succession;
	struct address_map *mappings = NULL;

	while ((succession = *link)) {
		if (succession->pid != pid || succession->from_ns > now_ns) {
			link = &succession->next;
			continue;
		}
		*link = succession->next;
		if (!mappings) {
			mappings = succession->mappings;
			succession->mappings = NULL;
		}
		succession_free(succession);
	}
	return mappings;
}

void succession_expire(struct succession_list *list, u64 before_ns)
{
	struct succession **link = &list->newest, *succession;

	while ((succession = *link)) {
		if (succession->from_ns >= before_ns) {
			link = &succession->next;
			continue;
		}
		*link = succession->next;
		succession_free(succession);
	}
}
