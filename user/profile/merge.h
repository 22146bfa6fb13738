/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Profiles of several processes become one. Files are told apart by path, build id (without one: device and inode),
 * offset and size; an address in a file that another process has mapped elsewhere is moved to where the first one has
 * it, and a file that would lie over another is moved to a place of its own, so that an address means one thing. Code in
 * no file stays where it is, and is told apart by the names it has. Only mappings that a stack leads through are taken.
 *
 * Estimates are made per sample and truncated (estimate.h), so samples labelled with a pid are never added up: the totals are
 * exactly the sums of the parts' totals. Samples without a pid are added up per (labels, stack, size).
 * Ledgers and costs are added; what is of one process alone (lifetimes and the model, peaks, resident memory) is unknown.
 */
#include "profile/profile.h"

struct merge;

struct merge *merge_new(void); /* NULL: no memory */
void merge_free(struct merge *merge);

/* Can the two be added up? They can if they are of one kind and interval, and both or neither of --alloc-only. Their facts are enough. */
bool merge_can_add(const struct profile *one, const struct profile *other);

/*
 * Add a profile that has its names. Samples without labels get `labels`; NULL: they keep none. Each must go with the first
 * (merge_can_add); their regions are another profile, and not added. 0; -EINVAL: it does not go with the first; -ENOMEM, when a part may
 * have been added.
 */
int merge_add(struct merge *merge, const struct profile *profile, const struct profile_labels *labels);

/* The same for those samples of `from` alone whose labels are `wanted`, and without its ledger and costs. */
int merge_select(struct merge *merge, const struct profile *from,
		 bool (*wanted)(const struct profile_labels *labels, const void *arg), const void *arg);

/* From now on everything but the tables (names, times, costs) is taken from `facts`, which is borrowed. */
void merge_describe(struct merge *merge, const struct profile *facts);

/* What was merged so far, named "all" unless described. The merge owns it; valid until something is added. */
const struct profile *merge_profile(const struct merge *merge);

/*
 * Add to `sum` what can be added: ledger, costs, the number of processes, and what those had in use that have ended; its
 * time covers both. Its kind and interval, and whether it is of --alloc-only, are those of the first. `more` of one process has
 * its tables.
 */
void merge_facts(struct profile *sum, const struct profile *more);
