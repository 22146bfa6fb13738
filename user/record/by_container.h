/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_BY_CONTAINER_H
#define RECORD_BY_CONTAINER_H
/* The profiles of many processes, gathered into one of them all and one for each container they were in. */
#include "profile/merge.h"
#include "profile/profile.h"

#define BY_CONTAINER_MAX 4096 /* profiles of their own; processes of further ones are in that of all */

struct by_container;

struct by_container *by_container_new(void); /* NULL: no memory */
void by_container_free(struct by_container *containers);

/* As merge_add. The container is the profile's, and `labels` must name the same. */
int by_container_add(struct by_container *containers, const struct profile *profile,
		     const struct profile_labels *labels);

/* Everything that was added to `from`. 0 or -ENOMEM. */
int by_container_copy(struct by_container *containers, const struct by_container *from);

const struct profile *by_container_all(const struct by_container *containers);

/*
 * Write container.<id> of each container and then `all`, under number `seq` when above 0. `told` hears of each:
 * facts with the stem of its files, what was written (as by output_file_write, its to free), and the tables. 0 or the first
 * error; the others are written all the same.
 */
int by_container_write(const struct by_container *gather, int dir, unsigned int formats, unsigned int seq,
		       void (*told)(void *arg, const struct profile *merged, char **files), void *arg);

#endif
