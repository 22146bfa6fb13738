/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds up a ledger. The names are the contract of include/counter.h, written out so that a renamed counter is noticed.
 */
#include "ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

void ledger_assert_balanced(const cJSON *process)
{
	static const char *const ends[] = {"freed",	 "live",   "ended",	    "refused",	  "lost_ring",
					   "lost_stash", "failed", "return_missed", "entry_only", "in_flight"};
	uint64_t sum = 0;

	for (size_t i = 0; i < COUNT(ends); i++)
		sum += index_number(process, format("ledger.%s", ends[i]));
	if (sum != index_number(process, "ledger.sampled"))
		fail_msg("the ledger does not balance, ends add up to %lu:\n%s", (unsigned long)sum,
			 cJSON_Print(process));
}

void ledger_assert_clean(const cJSON *process)
{
	static const char *const losses[] = {"refused",		"lost_ring",	   "lost_stash",  "return_missed",
					     "in_flight",	"free_deferred",   "free_unseen", "revive_lost",
					     "stack_lost_slot", "stack_lost_ring", "event_lost"};

	ledger_assert_balanced(process);
	for (size_t i = 0; i < COUNT(losses); i++) {
		if (index_number(process, format("ledger.%s", losses[i])))
			fail_msg("%s is not zero:\n%s", losses[i], cJSON_Print(process));
	}
}
