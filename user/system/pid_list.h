/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Lists of running processes. A process that begins or ends during the listing may or may not be in it. */
#include <sys/types.h>

#include "include/types.h"

struct cgroup;

struct pid_list {
	pid_t *pids;
	unsigned int count;
};

/* Every process but heaptap itself. 0 or negative errno, with an empty list. */
int pid_list_all(struct pid_list *ret_list);

/* Those given and all that descend from them, each once. */
int pid_list_family(const pid_t *pids, unsigned int count, struct pid_list *ret_list);

/* Those in the group and below; *ret_hidden: how many there are of another PID namespace, without a number here. */
int pid_list_group(const struct cgroup *group, struct pid_list *ret_list, unsigned int *ret_hidden);

void pid_list_release(struct pid_list *list);
