/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A pair of profiles of one made process, to be encoded. */
#include "unit/profile/made_profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "push/store.h"

static struct made made;
static struct stack_sums sums;
static struct label_list labels;
static struct push_profile pair[2];

/* What is in use of both stacks, and what of them was allocated in 15 seconds; labels in the names of that store. */
static inline void make_pair(enum store_kind store)
{
	const struct label_facts facts = {.host = "here", .comm = "made", .exe = LIBRARY, .pid = 7};
	const struct label_list own = {0};

	make(&made, 7, 0x10000, "jit");
	made.profile.sample_bytes = 1;
	sample(&made, 0, 64, 30, 20);
	sample(&made, 1, 100, 5, 1);
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(stack_sums_add(&sums, &made.profile, &made.samples[i]), 0);
	assert_int_equal(labels_make(&facts, &own, store, &labels), 0);
	for (u32 i = 0; i < 2; i++)
		pair[i] = (struct push_profile){.labels = &labels,
						.stacks = {.profile = &made.profile,
							   .exe = LIBRARY,
							   .rows = sums.rows,
							   .count = 2,
							   .first = i ? ALLOC_OBJECTS : INUSE_OBJECTS,
							   .end = i ? INUSE_OBJECTS : MEASURE_MAX,
							   .time_unix_ns = 1000000000000000000 + i,
							   .duration_ns = i ? 15000000000 : 0},
						.part = 1};
}

static inline int release_pair(void **state)
{
	(void)state;
	stack_sums_release(&sums);
	label_list_release(&labels);
	return 0;
}

/* A name of the only line of a location, so long that a profile with it is larger than stores take. */
static inline char *make_too_large(void)
{
	char *name = malloc(STORE_PROFILE_MAX + 1);

	assert_non_null(name);
	memset(name, 'x', STORE_PROFILE_MAX);
	name[STORE_PROFILE_MAX] = '\0';
	made.lines[LEAF].function = name;
	return name;
}
