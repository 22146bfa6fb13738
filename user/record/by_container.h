/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The profiles of many processes, merged into one of them all and one for each container they were in. */
#include "record/merged_rows.h"

#define BY_CONTAINER_MAX 4096 /* containers with a profile of their own; the one of all has further ones too */

struct by_container;

struct by_container *by_container_new(void); /* NULL: no memory */
void by_container_free(struct by_container *containers);

/* As merge_add. The container is that of the profile and of its labels. */
int by_container_add(struct by_container *containers, const struct profile *profile,
		     const struct profile_labels *labels);

/* Add everything that was added to `from`. 0 or -ENOMEM. */
int by_container_copy(struct by_container *containers, const struct by_container *from);

const struct profile *by_container_all(const struct by_container *containers);

/* Write container.<id> of each container and then `all`. 0 or the first error; the others are written all the same. */
int by_container_write(const struct by_container *containers, const struct merged_output *output);
