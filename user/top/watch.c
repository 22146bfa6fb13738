/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "live/listing_population.h"

#define ALL 1 /* key of the one row of `all` */

void watch_open(struct watch *watch, const char *scope)
{
	*watch = (struct watch){.scope = scope};
	screen_state_init(&watch->state);
	watch_sort(watch);
}

void watch_release(struct watch *watch)
{
	rows_release(&watch->rows);
	free(watch->curve);
	reading_release(&watch->reading);
	history_release(&watch->processes);
	history_release(&watch->all);
	history_release(&watch->sites);
}

static bool is_same(const struct screen_target *a, const struct screen_target *b)
{
	return a->pid == b->pid && a->image == b->image;
}

struct reading_want watch_want(const struct watch *watch)
{
	const struct screen_state *state = &watch->state;
	struct reading_want want = {.past = !watch->began};

	if (state->level == LEVEL_PROCESSES)
		return want;
	want.target = state->target;
	want.past = !is_same(&watch->sites_of, &state->target);
	want.allocated = state->views[LEVEL_SITES].sort == FIGURE_RATE;
	return want;
}

/* --- history --- */

static void remember_processes(struct watch *watch)
{
	const struct index_table *table = &watch->reading.listing.processes;
	struct population population;

	history_look(&watch->processes, watch->reading.at_ns);
	history_look(&watch->all, watch->reading.at_ns);
	for (u32 i = 0; i < watch->reading.past.process_count; i++) {
		const struct past_process *past = &watch->reading.past.processes[i];

		history_past(&watch->processes, rows_process_key(past->pid, past->image), past->inuse, past->count);
	}
	for (u32 i = 0; i < table->count; i++) {
		const struct index_entry *entry = &table->entries[i];

		history_add(&watch->processes, rows_process_key(entry->facts->pid, entry->facts->image),
			    entry->total[INUSE_SPACE], entry->total[ALLOC_SPACE]);
	}
	listing_population(&watch->reading.listing, &population);
	history_add(&watch->all, ALL, population.inuse_space, population.sum.total[ALLOC_SPACE]);
}

static void remember_sites(struct watch *watch)
{
	const struct reading *reading = &watch->reading;
	struct rows rows;

	if (!is_same(&watch->sites_of, &reading->want.target))
		history_release(&watch->sites);
	watch->sites_of = reading->want.target;
	history_look(&watch->sites, reading->at_ns);
	if (reading->past.sites)
		rows_remember_sites(&reading->overview, &watch->sites, reading->past.sites);
	/* The keys of sites are the rows' business. */
	if (!rows_of_sites(&reading->overview, &watch->sites, "", &rows))
		rows_release(&rows);
}

/* --- what is shown --- */

/* The overview of the process that the state is about; NULL: not read yet, or not to be had. */
static const struct overview *overview(const struct watch *watch)
{
	return is_same(&watch->reading.want.target, &watch->state.target) ? reading_overview(&watch->reading) : NULL;
}

static void make_rows(struct watch *watch)
{
	const struct screen_state *state = &watch->state;
	static const struct overview nothing;
	const struct overview *sites = overview(watch);

	if (state->level == LEVEL_PROCESSES)
		rows_of_processes(&watch->reading.listing.processes, &watch->processes,
				  state->views[LEVEL_PROCESSES].filter, &watch->rows);
	else
		rows_of_sites(sites ? sites : &nothing, &watch->sites, state->views[LEVEL_SITES].filter, &watch->rows);
}

/* It takes a walk through the whole profile, so it is not made for each frame. */
static void make_curve(struct watch *watch)
{
	u32 place = watch->rows.rows ? rows_find(&watch->rows, watch->state.site) : 0;

	free(watch->curve);
	watch->curve = NULL;
	if (watch->state.level == LEVEL_STACK && watch->rows.rows && place < watch->rows.count &&
	    survival_curves_make(watch->rows.profile, watch->rows.rows[place].site, 1, &watch->curve))
		watch->curve = NULL;
}

void watch_sort(struct watch *watch)
{
	enum level level = watch->state.level == LEVEL_PROCESSES ? LEVEL_PROCESSES : LEVEL_SITES;
	const struct screen_view *view = &watch->state.views[level];

	rows_release(&watch->rows);
	make_rows(watch);
	if (watch->rows.rows)
		rows_sort(&watch->rows, view->sort, view->reversed);
	make_curve(watch);
}

/* A single process is shown by its sites. Others that come are seen only where all are listed. */
static void choose_level(struct watch *watch)
{
	const struct index_table *table = &watch->reading.listing.processes;
	struct screen_target only;

	if (table->count != 1) {
		if (watch->unattended)
			watch->state.level = LEVEL_PROCESSES;
		return;
	}
	only = (struct screen_target){table->entries[0].facts->pid, table->entries[0].facts->image};
	if (watch->state.level == LEVEL_PROCESSES || !is_same(&watch->state.target, &only))
		screen_state_open(&watch->state, only.pid, only.image);
}

void watch_take(struct watch *watch, struct reading *reading)
{
	rows_release(&watch->rows);
	reading_release(&watch->reading);
	watch->reading = *reading;
	*reading = (struct reading){0};
	if (!watch->reading.err)
		remember_processes(watch);
	else
		snprintf(watch->state.message, sizeof(watch->state.message), "nothing can be read: %s",
			 strerror(-watch->reading.err));
	if (reading_overview(&watch->reading))
		remember_sites(watch);
	if (!watch->reading.err && (!watch->began || watch->unattended))
		choose_level(watch);
	watch->began |= watch->reading.listing.processes.count > 0;
	if (*watch->reading.written)
		memcpy(watch->state.message, watch->reading.written, sizeof(watch->state.message));
	watch_sort(watch);
}

void watch_mark(struct watch *watch, bool mark)
{
	struct history *history = watch->state.level == LEVEL_PROCESSES ? &watch->processes : &watch->sites;

	if (mark)
		history_mark(history, clock_now_ns());
	else
		history_unmark(history);
	watch_sort(watch);
}

void watch_compose(struct watch *watch, unsigned int columns, u32 lines, u32 top, enum display_charset charset,
		   struct frame *ret_frame)
{
	struct history_row *all;
	u64 key = ALL;

	HASH_FIND(hh, watch->all.rows, &key, sizeof(key), all);
	struct screen_content content = {
		.scope = watch->scope,
		.listing = &watch->reading.listing,
		.overview = overview(watch),
		.rows = &watch->rows,
		.curve = watch->curve,
		.all = all,
		.all_rate = history_rate(&watch->all, all),
		.now_ns = clock_now_ns(),
		.err = watch->reading.err ? watch->reading.err : watch->reading.profile_err,
	};

	screen_state_settle(&watch->state, &watch->rows, screen_rows(&watch->state, lines));
	screen_compose(&watch->state, &content, columns, lines, top, charset, ret_frame);
}
