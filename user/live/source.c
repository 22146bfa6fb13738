/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/source.h"

#include <errno.h>
#include <string.h>

#include "format/site_label.h"
#include "profile/merge.h"

int source_list(struct source *source, bool gc, struct source_listing *ret_listing)
{
	*ret_listing = (struct source_listing){0};
	return source->ops->list(source, gc, ret_listing);
}

void source_listing_release(struct source_listing *listing)
{
	index_table_release(&listing->processes);
	index_table_release(&listing->dropped);
	*listing = (struct source_listing){0};
}

int source_profile(struct source *source, const struct source_want *want, struct profile **ret_profile)
{
	*ret_profile = NULL;
	return source->ops->profile(source, want, ret_profile);
}

int source_take(struct source *source, const struct source_want *want, struct source_listing *ret_listing,
		struct profile **ret_profile)
{
	int err;

	*ret_listing = (struct source_listing){0};
	*ret_profile = NULL;
	if (source->ops->take)
		return source->ops->take(source, want, ret_listing, ret_profile);
	err = source_list(source, false, ret_listing);
	return err ? err : source_profile(source, want, ret_profile);
}

u32 source_moment_count(struct source *source, const struct source_want *want)
{
	return source->ops->moment_count ? source->ops->moment_count(source, want) : 0;
}

int source_moment(struct source *source, const struct source_want *want, u32 index, struct profile **ret_profile)
{
	*ret_profile = NULL;
	return source->ops->moment ? source->ops->moment(source, want, index, ret_profile) : -ENOENT;
}

void source_settle(struct source *source, bool kept)
{
	if (source->ops->settle)
		source->ops->settle(source, kept);
}

void source_cancel(struct source *source)
{
	if (source->ops->cancel)
		source->ops->cancel(source);
}

void source_close(struct source *source)
{
	if (source)
		source->ops->close(source);
}

bool source_is_container(const char *name, const struct profile *facts)
{
	if (facts->container_name && !strcmp(name, facts->container_name))
		return true;
	if (!facts->container)
		return false;
	return !strcmp(name, facts->container) ||
	       (strlen(name) == SITE_LABEL_ID_COLUMNS && !strncmp(name, facts->container, SITE_LABEL_ID_COLUMNS));
}

int source_merge(struct merge *merge, const struct profile *profile)
{
	char buffer[SITE_LABEL_ID_COLUMNS + 1];
	const struct profile_labels labels = {
		.pid = profile->pid,
		.comm = profile->comm,
		.container = (char *)site_label_container(profile, buffer),
		.container_id = profile->container,
		.group = profile->image,
	};

	return merge_add(merge, profile, &labels);
}
