/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What samples of several processes are labelled with: each set of labels once. */
#include "base/intern.h"
#include "profile/profile.h"

/* Valid when zeroed. The table's texts are its own. */
struct label_table {
	struct intern known;
	struct profile_labels *sets;
	u32 count;
};

/* *ret_labels is what a sample with these labels has: index plus one, 0 if all of them are empty. 0 or -ENOMEM. */
int labels_add(struct label_table *table, const struct profile_labels *labels, u32 *ret_labels);

void label_table_release(struct label_table *table);
