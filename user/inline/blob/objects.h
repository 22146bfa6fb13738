/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The objects whose end will be told (the filter and the table of include/sampler.h). Threads and signal handlers may come in
 * anywhere: each change is one compare-and-swap, and nothing waits. A pointer is never NULL.
 */
#include "include/types.h"

#pragma GCC visibility push(hidden)
/* Before anybody else knows the pointer. False: no room. */
bool objects_add(u64 pointer);

/* Before the pointer is freed. False: it is not here. */
bool objects_remove(u64 pointer);

/*
 * realloc has the object in its hands. It stays, since it lives on if realloc fails, but nobody else finds it: it may be freed
 * within, and its address given to another object that is sampled. False: it is not here.
 */
bool objects_begin_move(u64 pointer);
void objects_end_move(u64 pointer, bool gone);
#pragma GCC visibility pop
