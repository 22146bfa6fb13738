/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Objects per (calling address, requested size): what the truth and a profile are both reduced to before they are
 * compared, object for object. Bytes are objects times size and need no column.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct tally_row {
	uint64_t caller;
	uint64_t size;
	uint64_t allocated;
	uint64_t in_use;
};

struct tally {
	struct tally_row *rows;
	size_t count, capacity;
};

void tally_add(struct tally *tally, uint64_t caller, uint64_t size, uint64_t allocated, uint64_t in_use);

/* Sort by caller and size and merge equal rows; before any look-up or comparison. */
void tally_merge(struct tally *tally);

/* The sums: objects and bytes, allocated and in use. */
void tally_sum(const struct tally *tally, uint64_t ret_sum[4]);

/* Sum of all rows of one requested size. */
struct tally_row tally_of_size(const struct tally *tally, uint64_t size);

/* Print up to `max` rows in which the two disagree; how many do in all. Both must be merged. */
size_t tally_difference(const struct tally *truth, const struct tally *profile, size_t max, FILE *out);

void tally_release(struct tally *tally);
