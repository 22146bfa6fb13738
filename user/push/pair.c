/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/pair.h"

#include <errno.h>

#include "profile/profile_copy.h"
#include "profile/subtract.h"

static int subtract(struct pair *pair, struct profile *profile)
{
	pair->now = profile_copy(profile);
	if (!pair->now)
		return -ENOMEM;
	return pair->last ? profile_subtract(profile, pair->last, false) : 0;
}

int pair_take(struct pair *pair, struct source *source, struct source_listing *ret_listing,
	      struct profile **ret_profile)
{
	const struct source_want want = {.gc = true, .counts = true, .living = true, .adds_up = true};
	struct profile *profile;
	int err = source_take(source, &want, ret_listing, &profile);

	if (err)
		return err;
	pair->source = source;
	err = subtract(pair, profile);
	if (!err) {
		*ret_profile = profile;
		return 0;
	}
	profile_free(profile);
	pair_drop(pair);
	return err;
}

static void settle(struct pair *pair, bool kept)
{
	if (pair->source)
		source_settle(pair->source, kept);
	pair->source = NULL;
}

void pair_keep(struct pair *pair)
{
	settle(pair, true);
	profile_free(pair->last);
	pair->last = pair->now;
	pair->now = NULL;
}

void pair_drop(struct pair *pair)
{
	settle(pair, false);
	profile_free(pair->now);
	pair->now = NULL;
}

void pair_release(struct pair *pair)
{
	profile_free(pair->now);
	profile_free(pair->last);
	*pair = (struct pair){0};
}
