/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What processes had that have ended and are no longer kept, added up by name and container: without it, what is counted since tracing
 * began would fall whenever one of them is dropped. Where processes were named by their numbers, so are their series, and each has rows of its
 * own: a process may execute programs for ever.
 */
#include "format/index_write.h"

#define ENDED_SUMS_MAX 1024 /* rows; what has yet another name is in one more, which has none */

/*
 * Takes the profile of a process over, also on error, and adds it to its row: pid (0 unless `named`), names, `processes` and `ended`, and the sums
 * of totals, samples and ledgers; nothing else of a row has a meaning. 0 or -ENOMEM.
 */
int ended_sums_add(struct index_table *sums, struct profile *profile, bool named);
