/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/ledger.h"

#include <string.h>

static const struct {
	const char *name, *meaning;
} counters[COUNTER_MAX] = {
#define X(id, name, meaning) [COUNTER_##id] = {#name, meaning},
	COUNTERS(X)
#undef X
};

const char *ledger_name(enum counter counter)
{
	return counters[counter].name;
}

const char *ledger_meaning(enum counter counter)
{
	return counters[counter].meaning;
}

enum counter ledger_find(const char *name)
{
	enum counter counter = 0;

	while (counter < COUNTER_MAX && strcmp(counters[counter].name, name) != 0)
		counter++;
	return counter;
}

bool ledger_is_loss(enum counter counter)
{
	static const enum counter losses[] = {
		COUNTER_LOST_RING,	  COUNTER_LOST_STASH,	  COUNTER_REFUSED,	    COUNTER_RETURN_MISSED,
		COUNTER_FREE_UNSEEN,	  COUNTER_REVIVE_LOST,	  COUNTER_STACK_LOST_SLOT,  COUNTER_STACK_LOST_RING,
		COUNTER_STACK_TRUNCATED,  COUNTER_STACK_TOO_DEEP, COUNTER_STACK_NO_MAPPING, COUNTER_STACK_NO_RULE,
		COUNTER_STACK_UNREADABLE, COUNTER_STACK_STUCK,	  COUNTER_EVENT_LOST,	    COUNTER_STACK_CUT,
		COUNTER_STACK_NO_TABLE,	  COUNTER_STACK_STALE,	  COUNTER_STACK_NO_ROOM,    COUNTER_MAP_LOST,
		COUNTER_FILES_LATE,	  COUNTER_FILES_UNSEEN,	  COUNTER_FUNCTIONS_UNSEEN, COUNTER_MAPPING_LOST,
		COUNTER_AGES_REFUSED,	  COUNTER_AGES_LOST};

	for (unsigned int i = 0; i < sizeof(losses) / sizeof(*losses); i++)
		if (losses[i] == counter)
			return true;
	return false;
}

void ledger_keep_mappings(u64 ledger[COUNTER_MAX])
{
	static const enum counter kept[] = {COUNTER_MAPPING_CALLS, COUNTER_MAPPING_LOST, COUNTER_MAPPING_UNPAIRED,
					    COUNTER_MAPPING_PARTIAL, COUNTER_MAPPING_NO_STACK};
	u64 values[sizeof(kept) / sizeof(*kept)];

	for (unsigned int i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		values[i] = ledger[kept[i]];
	memset(ledger, 0, COUNTER_MAX * sizeof(*ledger));
	for (unsigned int i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		ledger[kept[i]] = values[i];
}

s64 ledger_missing(const u64 ledger[COUNTER_MAX])
{
	return ledger[COUNTER_SAMPLED] - ledger[COUNTER_FREED] - ledger[COUNTER_LIVE] - ledger[COUNTER_ENDED] -
	       ledger[COUNTER_REFUSED] - ledger[COUNTER_LOST_RING] - ledger[COUNTER_LOST_STASH] -
	       ledger[COUNTER_FAILED] - ledger[COUNTER_RETURN_MISSED] - ledger[COUNTER_ENTRY_ONLY] -
	       ledger[COUNTER_IN_FLIGHT];
}

struct ledger_losses ledger_losses(const u64 ledger[COUNTER_MAX])
{
	struct ledger_losses losses = {
		.can_balance = ledger[COUNTER_SAMPLED] || ledger[COUNTER_FREED] || ledger[COUNTER_LIVE] ||
			       ledger[COUNTER_ENDED] || ledger[COUNTER_ENTRY_ONLY],
	};

	if (losses.can_balance)
		losses.missing = ledger_missing(ledger);
	for (unsigned int i = 0; i < COUNTER_MAX; i++) {
		if (!ledger_is_loss(i) || !ledger[i])
			continue;
		losses.count += ledger[i];
		losses.kinds++;
	}
	return losses;
}
