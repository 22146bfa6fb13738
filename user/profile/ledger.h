/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the counters of counter.h say together: their names, which of them are losses, and whether they balance. */
#include "include/counter.h"

const char *ledger_name(enum counter counter);
const char *ledger_meaning(enum counter counter);
enum counter ledger_find(const char *name); /* COUNTER_MAX: no such counter */

/* Something was lost, or kept without its stack or its end, whenever this counter is not 0. */
bool ledger_is_loss(enum counter counter);

/* Keep what is about mappings alone (mapping_*). */
void ledger_keep_mappings(u64 ledger[COUNTER_MAX]);

/* What was lost, in numbers. */
struct ledger_losses {
	u64 count;	  /* over all counters that are losses */
	u32 kinds;	  /* how many counters these are */
	bool can_balance; /* false: the ledger has losses alone, as that of a .pb.gz without its index */
	s64 missing;	  /* see ledger_missing; 0 if it cannot balance */
};

struct ledger_losses ledger_losses(const u64 ledger[COUNTER_MAX]);

/* The sampled allocations that the balance of counter.h does not account for; negative: accounted for twice. */
s64 ledger_missing(const u64 ledger[COUNTER_MAX]);
