/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* From what a user writes for a control group to the group of version 2. */

struct cgroup;
struct cgroup_mounts;

/*
 * The group that a user means by `wanted`: its path in the hierarchy ("system.slice/nginx.service", with or without a
 * slash before it), or its directory below where version 2 or a controller of version 1 is mounted. A group of version
 * 1 stands for the group of version 2 that its processes are in: the lowest that holds all of them.
 *
 * 0, or one of the following with *ret_why a sentence for the user (allocated; NULL when there is no memory for it):
 * -EINVAL (no path, or one with ".."), -ENOENT (no such group), -ENODATA (no process in it nor below), -ENOTUNIQ
 * (version 1, its processes share no group of version 2 but the top), -ENOTSUP (version 1, all of its processes are at
 * version 2's top), -ENOMEM.
 */
int cgroup_resolve(const struct cgroup_mounts *mounts, const char *wanted, struct cgroup *ret_group, char **ret_why);
