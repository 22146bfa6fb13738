/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A table of containers by id, in which what several sources say about one is put together. It reads nothing itself. */
#include <sys/types.h>

#include "base/hash.h"
#include "include/types.h"

/*
 * What one source says about one container; NULL or 0: nothing. A name that is not a plain word (letters, digits, ".", "_"
 * and "-") counts as not said, so that none can upset a terminal or a path; `group` may hold other characters.
 */
struct container_fact {
	const char *id;
	const char *name;
	const char *pod, *part; /* of Kubernetes: its pod, and its name there */
	const char *runtime;
	const char *user;  /* whose files say it; NULL: root's */
	uid_t uid;	   /* of that user */
	const char *group; /* path of version 2 */
	uid_t owner;	   /* of the group's directory */
	pid_t pid;
};

/* The same from all sources together. */
struct container_entry {
	char *id;
	char *name, *pod, *part, *runtime, *user, *group;
	char *label; /* what container_list_name made */
	uid_t uid;   /* of the user */
	pid_t pid;
	bool foreign; /* it runs, and is not the user's whose files alone know it: its names do not count */
	UT_hash_handle hh;
};

struct container_list {
	struct container_entry *entries;
	char *denied_user;	   /* a user whose state files may not be read; NULL: none */
	unsigned int denied_count; /* how many such users */
	char *strange; /* a state file that is neither root's nor of the user whose containers it lists; NULL: none */
	int err;       /* 0, or why it may lack some: -ENOMEM, or what a directory could not be read for */
};

/*
 * Add what a source says. The first source is believed, but the last about a container's group. A source of a user says
 * nothing about containers of others, and no PID. What it says about one that others do not know counts unless the
 * container's group belongs to someone else.
 */
void container_list_add(struct container_list *list, const struct container_fact *fact);
void container_list_deny(struct container_list *list, const char *user);  /* his state files may not be read */
void container_list_doubt(struct container_list *list, const char *path); /* that state file does not count */
void container_list_release(struct container_list *list);

struct container_entry *container_list_find(const struct container_list *list, const char *id); /* NULL: unknown */

/* "POD/PART" of Kubernetes, else the runtime's name; NULL: it has none that counts. */
const char *container_list_name(struct container_entry *entry);
