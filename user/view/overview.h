/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * view/ holds what people look at in a profile, computed once for all who show it: the terminal, the page, the URL. It is
 * pure: it reads no file and asks no kernel.
 *
 * The figures of a profile that its readers want first: totals, sites, what grows, what was lost, what it cost. Those who
 * print them choose the words.
 */
#include "profile/ledger.h"
#include "profile/sites.h"

struct overview {
	const struct profile *profile; /* borrowed */
	struct profile_site sums;
	enum measure by;
	struct profile_site *sites;	     /* largest first */
	u32 site_count, all_count;	     /* all: with those, behind the others, that have none of it */
	const struct profile_site **growing; /* of those, fastest first */
	u32 growing_count;
	struct lifetime_summary process; /* samples 0: unknown */
	struct ledger_losses losses;
};

/* By INUSE_SPACE; by ALLOC_SPACE where nothing is in use or that is not known. As overview_make_by. */
int overview_make(const struct profile *profile, struct overview *ret_overview);
/* Sites by any measure. 0 or -ENOMEM, with what there is. overview_release in both cases. */
int overview_make_by(const struct profile *profile, enum measure by, struct overview *ret_overview);
/* As overview_make, in far less time: of the sites' lifetimes there are verdicts, growth and medians. */
int overview_make_brief(const struct profile *profile, struct overview *ret_overview);
void overview_release(struct overview *overview);
