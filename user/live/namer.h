/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Names for the profiles of answers, which one thread after another gives them: what they are found with is shared. As each profile of an
 * answer is completed, named and added up before the next one is, a thread has its turn for all of that; before it memory is read, and
 * after it the sum is copied.
 */
#include <pthread.h>
#include <regex.h>

#include "live/source.h"
#include "live/taken.h"

struct namer {
	pthread_mutex_t lock; /* of the turn */
	struct symbolizer *symbolizer;
	struct wrappers *wrappers;
	const regex_t *site_skip;
	size_t symbols_max; /* bytes of what names are found with that may stay after an answer */
};

/* `site_skip` is borrowed. 0 or -ENOMEM; namer_release in both cases. */
int namer_init(struct namer *namer, const regex_t *site_skip, size_t symbols_max);
void namer_release(struct namer *namer);

/* The profile of what was taken, as wanted, with its names; of each process, the facts stay in the list. As source_profile. */
int namer_profile(struct namer *namer, const struct source_want *want, struct taken_list *taken,
		  struct profile **ret_profile);
