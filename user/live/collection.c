/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/collection.h"

#include <errno.h>
#include <stdlib.h>

#include "heap/go_profile.h"
#include "heap/snapshot_facts.h"
#include "live/untold.h"

static bool is_wanted(const struct source_want *want, const struct image *image)
{
	const struct profile facts = {.container = image->container_id, .container_name = image->container_name};

	if (want->pid)
		return image->pid == want->pid && (!want->image || image->ordinal == want->image);
	return !want->container || source_is_container(want->container, &facts);
}

static int collect_go(const struct peek *peek, struct image *image, struct taken_list *taken)
{
	struct profile *profile;
	int err = peek_go(peek, image, &profile);

	return err ? err : taken_list_add_profile(taken, profile);
}

static int collect_image(struct collection *collection, struct image *image)
{
	struct snapshot_draft *draft;
	int err = peek_image(&collection->peek, image, &draft);

	return err ? err : taken_list_add(&collection->question->taken, draft);
}

static int collect_facts(const struct image *image, struct taken_list *taken)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	if (!profile)
		return -ENOMEM;
	profile->pid = image->pid;
	profile->image = image->ordinal;
	if (!snapshot_facts_copy_names(image, profile))
		return taken_list_add_profile(taken, profile);
	profile_free(profile);
	return -ENOMEM;
}

int collection_add(struct image *image, void *arg)
{
	struct collection *collection = arg;
	struct question *question = collection->question;
	const struct source_want *want = question->want;
	int err = 0;

	if (want && !is_wanted(want, image))
		return 0;
	if (collection->facts)
		return collect_facts(image, &question->taken);
	/* Images come in the order in which they began: the last of a process is the newest. */
	if (want && want->pid)
		taken_list_release(&question->taken);
	if (want && want->regions)
		return image->regions.sites ? collect_image(collection, image) : 0;
	if (!go_profile_is_all(image))
		err = collect_image(collection, image);
	if (!err && go_reading_has_profile(image->go))
		err = collect_go(&collection->peek, image, &question->taken);
	if (!err && want && want->adds_up)
		untold_answer(image);
	return err;
}
