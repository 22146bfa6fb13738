/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the name of a log says about a container of Kubernetes: kubelet makes a link POD_NAMESPACE_CONTAINER-ID.log for each, whatever
 * runtime runs it. No name in it may have an underscore.
 */
#define CONTAINER_LOG_DIRECTORY "/var/log/containers"

struct container_log {
	char *text; /* free it, and the others are gone */
	const char *pod, *space, *part, *id;
};

/* 1; or with nothing to free 0, it is no such name, or -ENOMEM. */
int container_log_parse(const char *name, struct container_log *ret_log);

/* The namespace of a container, for the caller to free; NULL: the directory has no log of it. A negative errno: that cannot be told. */
int container_log_space(const char *directory, const char *id, char **ret_space);
