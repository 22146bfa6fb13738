/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ROSTER_H
#define ROSTER_H
/*
 * Every container of this machine that anything tells of: the state files of podman, docker and containerd, the log
 * links of Kubernetes, and the groups that containers run in. One state of affairs, read by one call.
 */
#include <sys/types.h>
#include <uthash.h>

#include "include/types.h"

struct hierarchy;

/*
 * What one source says of one container; NULL or 0 where it does not say. What is no plain word (letters, digits,
 * ".", "_" and "-") is taken for not said, so nothing of it can upset a terminal or a path; a path may hold more.
 */
struct roster_fact {
	const char *id;
	const char *name;
	const char *pod, *part; /* of Kubernetes: its pod, and its name therein */
	const char *runtime;
	const char *user;  /* whose it is; NULL: root's or unknown */
	const char *group; /* path of version 2 */
	pid_t pid;
};

/* The same from all sources together. */
struct roster_entry {
	char *id;
	char *name, *pod, *part, *runtime, *user, *group;
	char *label; /* what roster_name made */
	pid_t pid;
	UT_hash_handle hh;
};

struct roster {
	struct roster_entry *entries;
	char *denied_user;	   /* one whose state files may not be read; NULL: none */
	unsigned int denied_count; /* how many such users */
	bool no_memory;
};

/* Read all. 0 or -ENOMEM; what cannot be read is left out. */
int roster_load(const struct hierarchy *hierarchy, struct roster *ret_roster);
void roster_release(struct roster *roster);

struct roster_entry *roster_find(const struct roster *roster, const char *id); /* NULL: unknown */

/* "POD/PART" of Kubernetes, else the runtime's name; NULL: it has none. */
const char *roster_name(struct roster_entry *entry);

/* For runtime.c: book what a source says. Who comes first is believed, but the last about its group. */
void roster_add(struct roster *roster, const struct roster_fact *fact);
void roster_deny(struct roster *roster, const char *user);

#endif
