/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Which container a control group belongs to, by its path alone: cheap enough to ask for every process. */
#include "include/types.h"

#define CONTAINER_ID_SIZE                                                                                              \
	65 /* 64 hexadecimal digits and the end; ids that containerd's own users chose may look otherwise */

/*
 * The container of a process in the group `path`: the innermost, where one runs within another. False and nothing set
 * where no part of the path looks like a container. *ret_runtime is static; for a bare id, which several runtimes use, it
 * may be "container".
 */
bool container_path_find(const char *path, char ret_id[CONTAINER_ID_SIZE], const char **ret_runtime);

/* The same by the last component alone: is this group a container's? */
bool container_path_last(const char *path, char ret_id[CONTAINER_ID_SIZE], const char **ret_runtime);
