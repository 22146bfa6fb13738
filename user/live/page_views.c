/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/page_views.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/page.h"
#include "format/site_label.h"
#include "profile/frame_role.h"

struct views {
	struct source *source;
	const struct page_views_options *options;
	struct source_listing listing;
	struct page_document page;
	const struct source_want *want; /* of the view that is being made */
	bool full;
};

const char *page_views_name(const struct profile *facts, char name[PAGE_VIEWS_NAME_SIZE])
{
	char image[40] = "";

	if (facts->image > 1)
		snprintf(image, sizeof(image), " (program %" PRIu32 ")", facts->image);
	snprintf(name, PAGE_VIEWS_NAME_SIZE, "%" PRIu32 " %.60s%s", facts->pid, facts->comm ? facts->comm : "", image);
	return name;
}

/* --- one view --- */

static void mark(const struct views *views, struct profile *profile)
{
	if (views->options->site_skip)
		frame_roles_mark(profile, views->options->site_skip);
}

static int read_moment(u32 index, void *arg, struct profile **ret_profile)
{
	const struct views *views = arg;

	int err = source_moment(views->source, views->want, index, ret_profile);

	if (!err)
		mark(views, *ret_profile);
	return err;
}

static int add(struct views *views, enum page_view_kind kind, const char *name, const struct source_want *want,
	       u32 entry)
{
	struct page_view view = {.kind = kind, .name = name, .entry = entry, .read_moment = read_moment, .arg = views};
	struct profile *profile;
	int err = source_profile(views->source, want, &profile);

	if (err)
		return err;
	mark(views, profile);
	views->want = want;
	view.profile = profile;
	view.moment_count = source_moment_count(views->source, want);
	err = page_add_view(&views->page, &view);
	profile_free(profile);
	views->full = err > 0;
	return err < 0 ? err : 0;
}

static int add_process(struct views *views, u32 entry)
{
	const struct profile *facts = views->listing.processes.entries[entry].facts;
	const struct source_want want = {
		.pid = facts->pid, .image = facts->image, .gc = views->options->want && views->options->want->gc};
	char name[PAGE_VIEWS_NAME_SIZE];

	return add(views, PAGE_VIEW_PROCESS, page_views_name(facts, name), &want, entry);
}

/* --- all of them --- */

static bool is_first_of_container(const struct index_table *table, u32 entry)
{
	const char *container = table->entries[entry].facts->container;

	for (u32 i = 0; container && i < entry; i++)
		if (table->entries[i].facts->container && !strcmp(table->entries[i].facts->container, container))
			return false;
	return container != NULL;
}

/* A container that has no profile is left out. */
static int add_containers(struct views *views)
{
	const struct index_table *table = &views->listing.processes;
	int err = 0;

	for (u32 i = 0; i < table->count && !err && !views->full; i++) {
		const struct profile *facts = table->entries[i].facts;
		struct source_want want = {.container = facts->container};
		char short_name[SITE_LABEL_ID_COLUMNS + 1], name[PAGE_VIEWS_NAME_SIZE];

		if (!is_first_of_container(table, i))
			continue;
		snprintf(name, sizeof(name), "container %.100s", site_label_container(facts, short_name));
		err = add(views, PAGE_VIEW_CONTAINER, name, &want, PAGE_VIEW_NO_ENTRY);
		err = err == -ENOENT ? 0 : err;
	}
	return err;
}

static int compare_weights(const void *a, const void *b, void *arg)
{
	const struct index_entry *entries = arg;
	u32 left = *(const u32 *)a, right = *(const u32 *)b;

	for (int measure = INUSE_SPACE; measure >= ALLOC_OBJECTS; measure--)
		if (entries[left].total[measure] != entries[right].total[measure])
			return entries[left].total[measure] > entries[right].total[measure] ? -1 : 1;
	return left < right ? -1 : left > right;
}

static int add_processes(struct views *views)
{
	const struct index_table *table = &views->listing.processes;
	u32 *order = calloc(table->count + 1UL, sizeof(*order));
	int err = order ? 0 : -ENOMEM;

	for (u32 i = 0; order && i < table->count; i++)
		order[i] = i;
	if (order)
		qsort_r(order, table->count, sizeof(*order), compare_weights, table->entries);
	for (u32 i = 0; i < table->count && !err && !views->full; i++) {
		if (!table->entries[order[i]].samples)
			continue;
		err = add_process(views, order[i]);
		err = err == -ENOENT ? 0 : err;
	}
	free(order);
	return err;
}

static int add_everything(struct views *views)
{
	const struct source_want all = {0};
	int err;

	if (views->listing.processes.count == 1)
		return add_process(views, 0);
	err = add(views, PAGE_VIEW_ALL, "all processes", &all, PAGE_VIEW_NO_ENTRY);
	err = err ? err : add_containers(views);
	return err ? err : add_processes(views);
}

/* --- the one that is wanted --- */

static int add_wanted(struct views *views, const struct source_want *want)
{
	const struct index_table *table = &views->listing.processes;
	char name[PAGE_VIEWS_NAME_SIZE];
	u32 found = table->count;

	if (!want->pid && !want->container && table->count == 1)
		return add_process(views, 0);
	if (!want->pid && !want->container)
		return add(views, PAGE_VIEW_ALL, "all processes", want, PAGE_VIEW_NO_ENTRY);
	if (want->container) {
		snprintf(name, sizeof(name), "container %.100s", want->container);
		return add(views, PAGE_VIEW_CONTAINER, name, want, PAGE_VIEW_NO_ENTRY);
	}
	for (u32 i = 0; i < table->count; i++) {
		const struct profile *facts = table->entries[i].facts;

		if (facts->pid == want->pid && (!want->image || facts->image == want->image))
			found = i;
	}
	return found < table->count ? add_process(views, found) : -ENOENT;
}

/* --- and what differs from an earlier recording --- */

static int add_difference(struct views *views)
{
	const struct page_views_options *options = views->options;
	const struct source_want all = {0};
	struct profile *before = NULL, *after = NULL;
	int err = source_profile(options->before, &all, &before);

	err = err ? err : source_profile(views->source, &all, &after);
	if (!err) {
		mark(views, before);
		mark(views, after);
		if (options->compare)
			options->compare(before, after, options->arg);
		err = page_data_add_difference(
			&views->page.data, &(struct page_pair){before, after, options->before_name, options->title});
	}
	profile_free(before);
	profile_free(after);
	return err;
}

/* What a Go program kept itself tells what is in use in any case: others tell what was asked for. */
static bool is_alloc_only(const struct index_table *table)
{
	for (u32 i = 0; i < table->count; i++)
		if (!table->entries[i].facts->go.version[0])
			return table->entries[i].facts->alloc_only;
	return false;
}

static void describe(struct views *views, char title[PAGE_VIEWS_NAME_SIZE])
{
	const struct source_listing *listing = &views->listing;
	const struct index_table *table = &listing->processes;
	struct page *page = &views->page.data;

	page->title = views->options->title;
	if (table->count == 1 && !views->options->before)
		page->title = page_views_name(table->entries[0].facts, title);
	page->live = !listing->ended;
	page->start_unix_ns = listing->start_unix_ns;
	page->duration_ns = listing->duration_ns;
	page->sample_bytes = listing->sample_bytes;
	page->alloc_only = is_alloc_only(table);
	page->attach = listing->attach;
	page->entries = table->entries;
	page->entry_count = table->count;
	page->processes_missing = listing->processes_missing;
	page->processes_refused = listing->processes_refused;
}

int page_views_write(struct source *source, const struct page_views_options *options, FILE *out)
{
	const struct source_want *want = options->want;
	struct views views = {.source = source, .options = options};
	char title[PAGE_VIEWS_NAME_SIZE];
	int err = source_list(source, want && want->gc, &views.listing);

	if (!err) {
		describe(&views, title);
		err = want ? add_wanted(&views, want) : add_everything(&views);
	}
	if (!err && options->before)
		err = add_difference(&views);
	err = err ? err : page_write(&views.page, out);
	page_release(&views.page);
	source_listing_release(&views.listing);
	return err;
}
