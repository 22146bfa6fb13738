/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATHER_H
#define GATHER_H
/* The profiles of many processes, gathered into one of them all and one for each container they were in. */
#include "profile/merge.h"
#include "format/output_file.h"

#define GATHER_CONTAINERS_MAX 4096 /* profiles of their own; processes of further ones are in that of all */

struct gather;

struct gather *gather_new(void); /* NULL: no memory */
void gather_free(struct gather *gather);

/* As merge_add. The container is the profile's, and so is that of the origin. */
int gather_add(struct gather *gather, const struct profile *profile, const struct profile_labels *origin);

/* Everything that was added to `from`. 0 or -ENOMEM. */
int gather_copy(struct gather *gather, const struct gather *from);

const struct profile *gather_all(const struct gather *gather);

/*
 * Write container.<id> of each container and then `all`, under number `seq` when above 0. `told` hears of each:
 * facts with the stem of its files, what was written (as by output_file_write, its to free), and the tables. 0 or the first
 * error; the others are written all the same.
 */
int gather_write(const struct gather *gather, int dir, unsigned int formats, unsigned int seq,
		 void (*told)(void *arg, const struct profile *merged, char **files), void *arg);

#endif
