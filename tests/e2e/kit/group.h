/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A control group (version 2) of a test's own, wherever the machine has that hierarchy. Functions fail the running test.
 */
#include <limits.h>
#include <stdbool.h>

struct group {
	char dir[PATH_MAX / 2]; /* "": none */
	const char *path;	/* of its dir, from below the hierarchy's root on: with a slash first */
};

void group_make(struct group *group);
/* One within another, which is to be removed after it: `name` may have several parts. */
void group_make_below(struct group *group, const struct group *above, const char *name);
/* Where that controller is to be had, whichever version of the hierarchy has it; `path` is not set. */
void group_make_controlled(struct group *group, const char *controller);
/* Write to a file of the group. False: the kernel has not taken it, or there is no such file. */
bool group_put(const struct group *group, const char *name, const char *text);
/* End what is in it and below, wait until it is empty, remove it. */
void group_remove(struct group *group);

/* Words that put a command into the group, for in front of its argv: valid until the next call. */
const char *const *group_wrapper(const struct group *group);
