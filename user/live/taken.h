/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Snapshots that the draining thread took for an asker, and what the asker makes of them. */
#include "format/index_write.h"
#include "heap/snapshot.h"
#include "system/root_fs.h"

struct taken {
	struct snapshot_draft *draft; /* NULL once finished */
	struct profile *profile;      /* NULL until then */
	struct root_fs *root;	      /* its image's may be closed meanwhile; NULL: none */
};

/* Valid when zeroed. */
struct taken_list {
	struct taken *rows;
	u32 count;
	bool go_left_out; /* a Go program's own could not be added to the others: it is in no sum */
};

/* The draft belongs to the list from now on, also on error. 0 or -ENOMEM. */
int taken_list_add(struct taken_list *list, struct snapshot_draft *draft);

/* A profile that lacks only its names, as a Go program's own; it belongs to the list from now on, also on error. 0 or -ENOMEM. */
int taken_list_add_profile(struct taken_list *list, struct profile *profile);

/* As their notes say (peek.h): before they are completed, which may take longer. */
void taken_list_read_memory(struct taken_list *list);

/* Make profiles of all drafts. The image that each was made of must live. 0 or -ENOMEM. */
int taken_list_complete(struct taken_list *list);

/* They must be complete. Each is what system calls mapped in its process from now on; those of which nothing is known go. */
void taken_list_keep_regions(struct taken_list *list);

/* If its process has ended, nothing is in use from now on, and nothing is mapped in profile->regions. */
void taken_forget_ended(struct profile *profile);
void taken_list_release(struct taken_list *list);

/* What each profile lacks once it is complete, as its names: done to one after another. 0 or negative errno, which ends it all. */
struct taken_work {
	int (*finish)(struct profile *profile, void *arg);
	void *arg;
	bool adds_up; /* source_want.adds_up: a sum one time is a sum the next time */
};

/* What taken_list_sum makes: taken_sum_profile must follow. */
struct taken_sum {
	struct profile *profile; /* the only one; NULL: there are several */
	struct merge *merge;
};

/*
 * The only one there is; or all of them merged, labelled. The facts of each stay in the list. A Go program's own that cannot be added to the
 * others (merge_can_add) is in no sum; where the other one is what the same process has from malloc, it is given alone, unless who asks adds up. Each is completed,
 * merged and let go in turn: a thousand and their sum need not be there together. The images must live. `work`: NULL: they are complete and
 * lack nothing. 0; -ENOENT: there is none; -EINVAL: they cannot be merged; -ENOMEM; or what the work returns: there is no sum then.
 */
int taken_list_sum(struct taken_list *list, const struct taken_work *work, struct taken_sum *ret_sum);

/* The sum as a profile, with tables of its own: neither list nor images are needed. The sum goes. 0 or -ENOMEM. */
int taken_sum_profile(struct taken_sum *sum, struct profile **ret_profile);

/* Both. */
int taken_list_profile(struct taken_list *list, const struct taken_work *work, struct profile **ret_profile);

/* They must be complete, or facts. A line for each process, taken out of the list. 0 or -ENOMEM. */
int taken_list_index(struct taken_list *list, struct index_table *table);
