/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYSTEM_CONTAINER_LIST_H
#define SYSTEM_CONTAINER_LIST_H
/*
 * Every container of this machine that anything tells of: the state files of podman, docker and containerd, the log
 * links of Kubernetes, and the groups that containers run in. One state of affairs, read by one call.
 */
#include <sys/types.h>
#include <uthash.h>

#include "include/types.h"

struct cgroup_mounts;

/*
 * What one source says of one container; NULL or 0 where it does not say. What is no plain word (letters, digits,
 * ".", "_" and "-") is taken for not said, so nothing of it can upset a terminal or a path; a path may hold more.
 */
struct container_fact {
	const char *id;
	const char *name;
	const char *pod, *part; /* of Kubernetes: its pod, and its name therein */
	const char *runtime;
	const char *user;  /* whose it is; NULL: root's or unknown */
	const char *group; /* path of version 2 */
	pid_t pid;
};

/* The same from all sources together. */
struct container_entry {
	char *id;
	char *name, *pod, *part, *runtime, *user, *group;
	char *label; /* what container_list_name made */
	pid_t pid;
	UT_hash_handle hh;
};

struct container_list {
	struct container_entry *entries;
	char *denied_user;	   /* one whose state files may not be read; NULL: none */
	unsigned int denied_count; /* how many such users */
	bool no_memory;
};

/* Read all. 0 or -ENOMEM; what cannot be read is left out. */
int container_list_load(const struct cgroup_mounts *hierarchy, struct container_list *ret_roster);
void container_list_release(struct container_list *container_list);

struct container_entry *container_list_find(const struct container_list *container_list,
					    const char *id); /* NULL: unknown */

/* "POD/PART" of Kubernetes, else the runtime's name; NULL: it has none. */
const char *container_list_name(struct container_entry *entry);

/* For container_runtimes.c: book what a source says. Who comes first is believed, but the last about its group. */
void container_list_add(struct container_list *container_list, const struct container_fact *fact);
void container_list_deny(struct container_list *container_list, const char *user);

#endif
