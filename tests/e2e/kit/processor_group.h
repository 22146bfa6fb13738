/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A control group whose processes have a processor for a part of each period, and then wait for the next one. It is there for the moment
 * in which a thread is ready to run and does not, as on a machine that is busy. group_remove takes it away.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "group.h"

/* `path` is not set. us: of each period, which is a second at most. False: no such limit is to be had here, and the group has none. */
bool processor_group_make(struct group *group, unsigned int us, unsigned int period_us);
void processor_group_add(const struct group *group, pid_t pid);
/* Out of all groups of its hierarchy. */
void processor_group_drop(const struct group *group, pid_t pid);
/* Until its processes, which are always ready to run, have used up their part of a period, at a moment after the call. */
void processor_group_await_end(const struct group *group);
