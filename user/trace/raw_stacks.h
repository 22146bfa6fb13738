/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Stacks that were sampled before the tables they need were ready: sent raw, unwound here by the same rules, and given
 * to the recorder as if the programs had walked them.
 */
#include "include/event.h"
#include "heap/recorder.h"
#include "unwind/tables.h"

struct raw_stacks;

/* `bytes_max`: what those that wait may take together. NULL: no memory. */
struct raw_stacks *raw_stacks_new(struct unwind_tables *tables, struct recorder *recorder, size_t bytes_max);
void raw_stacks_free(struct raw_stacks *unwinder);

/*
 * Keep a raw stack of `size` bytes of event. Where those that wait take more than they may, the oldest is unwound as
 * far as it can be. 0, -EBADMSG, -ENOMEM.
 */
int raw_stacks_add(struct raw_stacks *unwinder, const struct event_raw *event, size_t size);

/* Unwind those whose tables are ready; with `all`, every one, after waiting for tables. */
void raw_stacks_settle(struct raw_stacks *unwinder, bool all);
