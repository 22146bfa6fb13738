/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/namer.h"

#include <errno.h>

#include "binary/symbolizer.h"
#include "profile/naming.h"

struct naming {
	const struct namer *namer;
	const struct source_want *want;
};

int namer_init(struct namer *namer, const regex_t *site_skip, size_t symbols_max)
{
	*namer = (struct namer){.site_skip = site_skip, .symbols_max = symbols_max};
	pthread_mutex_init(&namer->lock, NULL);
	namer->symbolizer = symbolizer_new();
	namer->wrappers = namer->symbolizer ? wrappers_new(namer->symbolizer) : NULL;
	return namer->wrappers ? 0 : -ENOMEM;
}

void namer_release(struct namer *namer)
{
	wrappers_free(namer->wrappers);
	symbolizer_free(namer->symbolizer);
	pthread_mutex_destroy(&namer->lock);
}

static int finish(struct profile *profile, void *arg)
{
	const struct naming *naming = arg;
	const struct namer *namer = naming->namer;
	int err = naming_apply(profile, namer->symbolizer, namer->wrappers, namer->site_skip);

	if (!err && naming->want->living)
		taken_forget_ended(profile);
	return err;
}

/* What is mapped is named with the heap that it stands beside. */
static int add_up_regions(struct taken_list *taken, const struct taken_work *work, struct taken_sum *ret_sum)
{
	int err = taken_list_complete(taken);

	for (u32 i = 0; i < taken->count && !err; i++)
		err = work->finish(taken->rows[i].profile, work->arg);
	if (err)
		return err;
	taken_list_keep_regions(taken);
	return taken_list_sum(taken, NULL, ret_sum);
}

int namer_profile(struct namer *namer, const struct source_want *want, struct taken_list *taken,
		  struct profile **ret_profile)
{
	struct naming naming = {namer, want};
	const struct taken_work work = {finish, &naming, want->adds_up};
	struct taken_sum sum = {0};
	int err;

	taken_list_read_memory(taken);
	pthread_mutex_lock(&namer->lock);
	err = want->regions ? add_up_regions(taken, &work, &sum) : taken_list_sum(taken, &work, &sum);
	/* Names are kept; what they were made of may be a gigabyte, and its files may be closed. */
	wrappers_drop(namer->wrappers);
	symbolizer_trim(namer->symbolizer, namer->symbols_max);
	pthread_mutex_unlock(&namer->lock);
	return err ? err : taken_sum_profile(&sum, ret_profile);
}
