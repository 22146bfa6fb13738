/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What heaptap's own process may do: its effective capabilities, and whether they count at all (those of a user
 * namespace do not reach BPF, perf and uprobes).
 */
#include <stddef.h>

#include "include/types.h"

struct capability {
	unsigned int number; /* as in linux/capability.h */
	const char *name;    /* "CAP_BPF" */
	const char *purpose; /* what heaptap does with it */
	bool required;	     /* nothing can be recorded without it */
	bool perf_uprobes;   /* required for perf-event uprobes */
};

struct privileges {
	u64 effective; /* mask of 1 << number */
	bool user_namespace;
	bool root; /* user id 0 already: sudo cannot help */
};

/* 0 or negative errno. */
int privileges_read(struct privileges *ret_privileges);

/* The capabilities heaptap uses, *ret_count of them. */
const struct capability *capability_table(unsigned int *ret_count);

/*
 * CAP_SYS_ADMIN includes what was split off from it: CAP_BPF, CAP_PERFMON and CAP_CHECKPOINT_RESTORE; CAP_DAC_OVERRIDE
 * includes CAP_DAC_READ_SEARCH.
 */
bool privileges_have(const struct privileges *privileges, const struct capability *capability);

/*
 * Write the names of the missing required capabilities, "CAP_BPF, CAP_PERFMON", to ret_names; returns their number.
 * `perf_uprobes`: those for perf-event uprobes are required too.
 */
unsigned int privileges_missing(const struct privileges *privileges, bool perf_uprobes, char *ret_names, size_t size);

/* The same for those of the mask of 1 << number. */
unsigned int privileges_missing_of(const struct privileges *privileges, u64 needed, char *ret_names, size_t size);
