/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The container that a user means. A container is a control group here: every process in that group or below belongs to
 * it, also one that was `exec`ed into it.
 */
struct cgroup;
struct cgroup_mounts;

struct container {
	char *id;
	char *name;    /* "POD/CONTAINER" of Kubernetes; NULL: none, or unknown */
	char *runtime; /* "podman", "docker", "podman of user bob", ...: for people */
};

/*
 * The running container that is called so: by its name ("web"; of Kubernetes "web" or "POD/web"), its id, or the
 * beginning of its id, however short, if no other id begins so. A name takes precedence over the beginning of an id, and
 * a container that runs over others of the same name. The state files that container_runtimes.h lists are searched, and
 * the groups that have a name as runtimes give it.
 *
 * 0 with *ret_group its open group (release both), or one of the following with *ret_why a sentence for the user
 * (allocated; NULL when there is no memory for it): -EINVAL (no such name can be), -ENOENT, -EACCES (not found, but a
 * user's containers may not be read: the sentence names the user), -EKEYREJECTED (a user's files give that name to a
 * container of someone else), -EBADF (not found, but a file is not of whom it should be), -ENOTUNIQ (the sentence lists the candidates), -ENODATA
 * (it exists but does not run), -ENOTSUP (it runs, but in no version 2 group of its own), -ESTALE (its group has just
 * gone), -EPERM (its group may not be read), -ENOMEM.
 */
int container_find(const struct cgroup_mounts *mounts, const char *wanted, struct container *ret_container,
		   struct cgroup *ret_group, char **ret_why);
void container_release(struct container *container);

/* Names of container ids. A look-up of an unknown id reads the state files again, once for each id. */
struct container_names;

struct container_names *container_names_new(const struct cgroup_mounts *mounts); /* borrowed; NULL: no memory */
void container_names_free(struct container_names *names);

/* `group`: where it runs. NULL: unknown, or it has none that counts. Valid until container_names_free. */
const char *container_names_find(struct container_names *names, const char *id, const char *group);
