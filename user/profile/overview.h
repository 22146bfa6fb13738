/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The figures of a profile that its readers want first, computed once: totals, sites, what grows, what was lost, what it
 * cost. Those who print them choose the words.
 */
#include "profile/ledger.h"
#include "profile/sites.h"

struct overview {
	const struct profile *profile; /* borrowed */
	struct profile_site sums;
	enum measure by;	    /* INUSE_SPACE; ALLOC_SPACE where nothing is in use or that is not known */
	struct profile_site *sites; /* largest first; none without any of `by` */
	u32 site_count;
	const struct profile_site **growing; /* of those, fastest first */
	u32 growing_count;
	struct lifetime_summary process; /* samples 0: unknown */
	struct ledger_losses losses;
};

/* 0 or -ENOMEM, with what there is. overview_release in both cases. */
int overview_make(const struct profile *profile, struct overview *ret_overview);
void overview_release(struct overview *overview);
