/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The sites of several profiles, numbered: a site has the same number in each, also in another run. It is known by its physical
 * function, file and line, or by its code's offset where these are unknown.
 */
#include "base/intern.h"
#include "profile/sites.h"

/* Valid when zeroed. */
struct site_table {
	struct intern texts, keys;
	struct site_name {
		const char *function; /* what unnamed code is printed as; "" for an unknown stack */
		const char *file;     /* "": unknown */
		u32 line;
	} * names; /* by number */
	u32 count;
	struct site_table_text { /* as the last site had it: most names are asked for again and again */
		const char *text;
		const struct interned *entry;
	} last[2];
};

/* 0 or -ENOMEM. Texts of a profile that was asked for before must still be there, or site_table_forget be called. */
int site_table_number(struct site_table *table, const struct profile *profile, const struct profile_site *site,
		      u32 *ret_number);
void site_table_forget(struct site_table *table);
void site_table_release(struct site_table *table);
