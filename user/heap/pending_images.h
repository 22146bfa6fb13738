/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Images that have been announced and have not begun. The side-band announces a new program (by a fork, or a comm record
 * with the exec flag) and its first mappings before the ring's event begins the image; until then they are kept here. A
 * process may exec twice before the ring is read, so several images of one pid may be pending, told apart by their times.
 */
#include "include/types.h"

struct address_map;

struct pending_image {
	u32 pid;
	u64 from_ns; /* time of the fork or exec */
	struct address_map *mappings;
	struct pending_image *next; /* older */
};

/* Valid when zeroed. */
struct pending_images {
	struct pending_image *newest;
};

void pending_images_release(struct pending_images *list);

/* Takes over the mappings, also on failure; NULL: there was no memory for them. 0 or -ENOMEM. */
int pending_images_announce(struct pending_images *list, u32 pid, u64 now_ns, struct address_map *mappings);

/* The pid's newest announcement; its newest one of that time or earlier. NULL: none. */
struct pending_image *pending_images_find(const struct pending_images *list, u32 pid);
struct pending_image *pending_images_at(const struct pending_images *list, u32 pid, u64 time_ns);

/*
 * An image of `pid` begins at `now_ns`: its mappings, for the caller to free; NULL when it was not announced. Older
 * announcements of the pid are dropped: their images are over.
 */
struct address_map *pending_images_take(struct pending_images *list, u32 pid, u64 now_ns);

/* Drop what was announced before that. */
void pending_images_expire(struct pending_images *list, u64 before_ns);
