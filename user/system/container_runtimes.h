/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where container runtimes keep what they know, below the directory `root` ("" for this machine):
 *
 *   docker      var/lib/docker/containers/ID/config.v2.json
 *   podman      var/lib/containers/storage/DRIVER-containers/[volatile-]containers.json, also below run/containers
 *   containerd  run/containerd/io.containerd.runtime.v2.task/NAMESPACE/ID/{config.json,init.pid}, also below run/k3s
 *   Kubernetes  var/log/containers/POD_NAMESPACE_CONTAINER-ID.log, links by that name
 *
 * Docker and podman of other users: below .local/share/ in the homes of etc/passwd, and run/user/UID/. Users of other
 * directories (LDAP) and stores that were moved by configuration are not looked for: their containers are known by id.
 *
 * Files count that are root's or of the user in whose place they are. What those of a user say counts for his own
 * containers alone: the directory of the container's group belongs to him.
 */

#define STATE_FILE_BYTES_MAX (4 << 20) /* some 8000 containers in podman's; parsed it takes up to 32 times as much */

struct cgroup_mounts;
struct container_list;

/* Add what those files say to the list. A file that is broken, missing or too large hides no other. */
void container_runtimes_load(const char *root, struct container_list *list);

/*
 * Add the groups that have names as runtimes give them. To be loaded last: they say where a container runs, and add
 * containers that are in no file.
 */
void container_runtimes_load_groups(const struct cgroup_mounts *mounts, struct container_list *list);
