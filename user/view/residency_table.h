/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Which sites' live objects cost memory, and how much of it (`record --resident`). */
#include "profile/sample_residency.h"
#include "profile/sites.h"

struct residency_row {
	const struct profile_site *site;
	struct residency_sum sum;
};

struct residency_table {
	struct residency_row *rows; /* most resident first; sites none of whose objects was looked at have none */
	u32 count;
	struct residency_sum all;
	struct profile_site *sites; /* all of them */
};

/* 0 or -ENOMEM. To be released in both cases. */
int residency_table_make(const struct profile *profile, struct residency_table *ret_table);
void residency_table_release(struct residency_table *table);
