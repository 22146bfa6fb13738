/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PIDLIST_H
#define PIDLIST_H
/* Lists of running processes. One that begins or ends meanwhile may be missing or be there still. */
#include <sys/types.h>

#include "include/types.h"

struct cgroup;

struct pidlist {
	pid_t *pids;
	unsigned int count;
};

/* Every process but heaptap itself. 0 or negative errno, with an empty list. */
int pidlist_all(struct pidlist *ret_list);

/* Those given and all that descend from them, each once. */
int pidlist_family(const pid_t *pids, unsigned int count, struct pidlist *ret_list);

/* Those in the group and below; *ret_hidden: how many there have no number here. */
int pidlist_group(const struct cgroup *group, struct pidlist *ret_list, unsigned int *ret_hidden);

void pidlist_release(struct pidlist *list);

#endif
