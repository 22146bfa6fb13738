/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RUNTIME_H
#define RUNTIME_H
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
 */

struct roster;

/* Tell the roster all of it. A file that is broken, missing or too large hides no other. */
void runtime_load(const char *root, struct roster *roster);

#endif
