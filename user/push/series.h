/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The series that profiles are pushed as: processes with equal labels are one, and what they have is added up. How many there are is
 * bounded, since stores are paid for by series: within an hour the first SERIES_MAX have their own, what is beyond them is in one whose
 * service is "other".
 */
#include "base/hash.h"
#include "profile/stack_sums.h"
#include "push/labels.h"

#define SERIES_MAX    500
#define SERIES_AGE_NS 3600000000000ULL /* without a process, after which one gives way */

struct push_series {
	UT_hash_handle hh;
	struct label_list labels;
	char *exe;		    /* path of its program; NULL: unknown, or it has none of its own */
	char *container_id, *space; /* of the facts that it was made for */
	u64 seen_ns;
	struct stack_sums sums; /* of the interval */
	char key[];
};

struct push_series_table {
	enum store_kind store;
	const struct label_list *own; /* borrowed */
	struct push_series *rows;
	u64 beyond; /* how often a process had to go into "other" */
};

/* Its series, made if needed; valid until the next call whose `now_ns` is later. NULL: no memory. */
struct push_series *push_series_take(struct push_series_table *table, const struct label_facts *facts, u64 now_ns);

/* The namespace of a container that a series was made with, which may go with the next push_series_take; NULL: no series knows it. */
const char *push_series_space(const struct push_series_table *table, const char *container_id);

/* Forget the sums. */
void push_series_clear(struct push_series_table *table);
void push_series_release(struct push_series_table *table);
