/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Stacks with their counts, from libunwind (see shim_unwind.c) and from a profile, and how the two differ. Stacks begin
 * with the caller of the shim and are made of return addresses.
 */
#include <stdio.h>
#include <sys/types.h>

#include "e2e/shims/chain_log.h"

struct profile;

struct chain {
	uint64_t size; /* as requested */
	uint64_t count;
	uint32_t depth;
	uint32_t end; /* enum chain_end; a profile does not say */
	uint64_t *ip;
};

struct chains {
	struct chain
		*chains; /* sorted by size, then address by address; a stack comes before those that go on beyond it */
	size_t count, capacity;
	uint64_t total;		       /* sum of their counts */
	uint64_t missed;	       /* calls without a stack: not noted by the shim, or lost by heaptap */
	uint64_t foreign;	       /* of a profile: calls from within the shim, and those that went past it */
	uint64_t shim_start, shim_end; /* addresses of the shim's wrappers */
};

/* In calls. */
struct chain_verdict {
	uint64_t truth; /* stacks in the truth */
	uint64_t equal;
	uint64_t cut;	    /* the profile has its leaf end only */
	uint64_t longer;    /* the profile goes on where libunwind ended */
	uint64_t stackless; /* the profile has the call, but no stack at all */
	uint64_t wrong;	    /* in the profile and never happened */
	uint64_t absent;    /* in the truth and nothing like it in the profile */
};

/* The newest log of process `pid` under `prefix`. 0; -EBADMSG: incomplete; or negative errno. */
int chains_read_truth(const char *prefix, pid_t pid, struct chains *ret_chains);

/* Leave out what asked for less. */
void chains_drop_small(struct chains *chains, uint64_t size);

/* A saved .pb.gz in which all calls are samples; the shim's own frames, known from `truth`, are left out. `ret_profile` gives
 * examples names. */
int chains_read_profile(const char *path, const struct chains *truth, struct chains *ret_chains,
			struct profile **ret_profile);

/* Compare, and print up to `max` examples of each kind of difference. Uses up the counts of both. */
struct chain_verdict chains_compare(struct chains *truth, struct chains *found, const struct profile *profile,
				    size_t max, FILE *out);

/* How qsort and a search order stacks, and how many frames two of them share from the leaf on. */
int chain_order(const void *left, const void *right);
uint32_t chain_common_depth(const struct chain *a, const struct chain *b);

void chains_release(struct chains *chains);
