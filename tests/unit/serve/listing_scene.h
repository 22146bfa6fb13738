/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Listings of processes, as a source makes them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "live/source.h"
#include "unit/format/printed.h"

static struct source_listing listing;

/* Its facts, for the test to change before it is listed further; the total of every measure is `total`. */
static inline struct profile *add_process(u32 pid, const char *comm, u64 total)
{
	struct profile *facts = calloc(1, sizeof(*facts));
	struct index_entry *entry;

	assert_non_null(facts);
	facts->pid = pid;
	facts->image = 1;
	facts->comm = strdup(comm);
	assert_int_equal(index_table_add(&listing.processes, facts, NULL), 0);
	entry = &listing.processes.entries[listing.processes.count - 1];
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		entry->total[m] = total;
	entry->samples = 1;
	return facts;
}

static inline void contain(struct profile *facts, const char *id, const char *name)
{
	facts->container = strdup(id);
	facts->container_name = strdup(name);
}

static inline int listing_setup(void **state)
{
	(void)state;
	listing = (struct source_listing){.sample_bytes = 512 << 10, .duration_ns = 1500000000, .named = true};
	strcpy(listing.attach, "session");
	return 0;
}

static inline int listing_teardown(void **state)
{
	(void)state;
	source_listing_release(&listing);
	return 0;
}

static inline void assert_has(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("no \"%s\" in:\n%s", wanted, text);
}

static inline void assert_lacks(const char *text, const char *unwanted)
{
	if (strstr(text, unwanted))
		fail_msg("\"%s\" in:\n%s", unwanted, text);
}
