/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYSTEM_CONTAINER_H
#define SYSTEM_CONTAINER_H
/*
 * The container that a user means, and the one that a process is in. A container is a control group here: whatever runs
 * in that group or below, `exec`ed into it or not, belongs to it.
 */
#include "include/types.h"

struct cgroup_mounts;

#define CONTAINER_ID_SIZE 65 /* 64 hexadecimal digits and the end; ids of containerd's own users may look otherwise */

struct container {
	char *id;
	char *name;    /* "POD/CONTAINER" of Kubernetes; NULL: it has none, or nobody says */
	char *runtime; /* "podman", "docker", "podman of user bob", ...: for people */
	char *cgroup;  /* path of version 2, "/libpod_parent/libpod-..." */
};

/*
 * The running container that is called so: by its name ("web"; of Kubernetes "web" or "POD/web"), its id, or the
 * beginning of its id, however short, if no other id begins so. Names come before beginnings, and of several of that
 * name the one that runs. What container_runtimes.h lists is searched, and what has a group under a name that runtimes give.
 *
 * 0, or one of the following with *ret_why a sentence for the user (allocated; NULL when there is no memory for it):
 * -EINVAL (no such name can be), -ENOENT, -EACCES (not found, but a user's containers may not be read: the sentence
 * says whose), -ENOTUNIQ (the sentence lists the candidates), -ENODATA (it is there and does not run), -ENOTSUP (it
 * runs, but in no version 2 group of its own), -ENOMEM.
 */
int container_find(const struct cgroup_mounts *hierarchy, const char *wanted, struct container *ret_container,
		   char **ret_why);
void container_release(struct container *container);

/*
 * The container of a process in the group `path`: the innermost, where one runs within another. By the path alone, so
 * it is cheap: false and nothing set where no part of the path looks like one. *ret_runtime is static; of bare ids,
 * which several runtimes give, it may be "container".
 */
bool container_of_cgroup(const char *path, char ret_id[CONTAINER_ID_SIZE], const char **ret_runtime);

/* The same by the last component alone: is this group a container's? */
bool container_of_last(const char *path, char ret_id[CONTAINER_ID_SIZE], const char **ret_runtime);

/* Names of ids. Files are read when an id is asked for that was not known; each id makes that happen once. */
struct container_names;

struct container_names *container_names_new(const struct cgroup_mounts *hierarchy); /* borrowed; NULL: no memory */
void container_names_free(struct container_names *names);

/* NULL: unknown, or it has none. Valid until container_names_free. */
const char *container_names_find(struct container_names *names, const char *id);

#endif
