/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ROOM_H
#define ROOM_H
/*
 * Which rows of an array shared with the programs are taken. Rows given back rest for a second before they are handed
 * out again, since a program may be reading them still: it learnt of them before they were given back, and is done
 * within far less than that unless its thread is kept from running.
 */
#include "include/types.h"

#define ROOM_REST_NS 1000000000ULL

struct room;

struct room *room_new(u32 count); /* rows 0 .. count - 1, all free; NULL: no memory */
void room_free(struct room *room);

/* `count` rows in a row, from *ret_first on. 0, -ENOSPC or -ENOMEM. */
int room_take(struct room *room, u32 count, u64 now_ns, u32 *ret_first);

/* Give back what room_take handed out, all of it; `first` as it was told. */
void room_give(struct room *room, u32 first, u64 now_ns);

#endif
