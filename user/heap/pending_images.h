/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HEAP_PENDING_IMAGES_H
#define HEAP_PENDING_IMAGES_H
/*
 * Images that have not begun yet. The side-band announces a new program (comm with the exec flag, or a fork) and its first
 * mappings before the ring's event begins the image: until then they are kept here. A shell may exec twice between two
 * looks: successions queue up, told apart by time. Owned by the recorder.
 */
#include "include/types.h"

struct address_map;

struct pending_image {
	u32 pid;
	u64 from_ns; /* the exec's */
	struct address_map *mappings;
	struct pending_image *next; /* older */
};

/* Valid when zeroed. */
struct pending_images {
	struct pending_image *newest;
};

void pending_images_release(struct pending_images *list);

/* Takes over the mappings, whatever becomes of it; NULL: there was no memory for them. 0 or -ENOMEM. */
int pending_images_announce(struct pending_images *list, u32 pid, u64 now_ns, struct address_map *mappings);

/* What was announced last of the pid; and what is in force at that time. NULL: nothing. */
struct pending_image *pending_images_find(const struct pending_images *list, u32 pid);
struct pending_image *pending_images_at(const struct pending_images *list, u32 pid, u64 time_ns);

/*
 * The mappings of the exec that made the image of `pid` beginning at `now_ns`, the caller's to free; NULL when it was not
 * announced. Older announcements of the pid lead to images never heard of, and are dropped.
 */
struct address_map *pending_images_take(struct pending_images *list, u32 pid, u64 now_ns);

/* Drop what was announced before that. */
void pending_images_expire(struct pending_images *list, u64 before_ns);

#endif
