/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNWIND_USER_H
#define UNWIND_USER_H
/*
 * Stacks that were sampled before the tables they need were ready: sent raw, unwound here by the same rules, and given
 * to the recorder as if the programs had walked them.
 */
#include "include/event.h"
#include "heap/recorder.h"
#include "unwind/tables.h"

struct unwinder;

struct unwinder *unwinder_new(struct unwind_tables *tables, struct recorder *recorder); /* NULL: no memory */
void unwinder_free(struct unwinder *unwinder);

/*
 * Keep a raw stack of `size` bytes of event. Where those that wait get to be more than 16 MiB the oldest is unwound as
 * far as it can be. 0, -EBADMSG, -ENOMEM.
 */
int unwinder_add(struct unwinder *unwinder, const struct event_raw *event, size_t size);

/* Unwind those whose tables are ready; with `all`, every one, after waiting for tables. */
void unwinder_settle(struct unwinder *unwinder, bool all);

/*
 * Walk one raw stack through `mappings`: return addresses into ip[STACK_DEPTH_MAX], leaf first. The way it ended;
 * UNWIND_NO_TABLE when a table is not ready.
 */
enum unwind_end unwind_raw(struct unwind_tables *tables, const struct address_map *mappings,
			   const struct event_raw *event, u64 *ip, u32 *ret_depth);

#endif
