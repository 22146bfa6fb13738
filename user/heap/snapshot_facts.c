/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/snapshot_facts.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "heap/restraint.h"
#include "profile/estimate.h"
#include "profile/memory_reading.h"

static void set_cost(const struct recorder_options *options, const struct image *image, struct profile *profile)
{
	double allocs = (double)image->ledger[COUNTER_HITS_ALLOC], frees = (double)image->ledger[COUNTER_HITS_FREE];
	double cost_ns = allocs * options->alloc_hit_ns + frees * options->free_hit_ns;

	if (allocs + frees > 0)
		profile->hit_cost_ns = cost_ns / (allocs + frees);
	if (profile->cpu_ns)
		profile->slowdown_percent = 100.0 * cost_ns / (double)profile->cpu_ns;
}

/* An object that has survived k cycles was born before the (k - 1)th last of them completed. */
static u64 least_age_ns(const struct gc_model *gc, u32 class, u64 now_ns)
{
	u32 age = lifetime_class_start(class);
	u64 born_ns;

	if (!age || age > gc->cycle)
		return 0;
	born_ns = gc_model_moment(gc, gc->cycle - age + 1).time_ns;
	return now_ns > born_ns ? now_ns - born_ns : 0;
}

void snapshot_facts_copy_model(const struct gc_model *gc, u64 now_ns, struct profile_model *model)
{
	struct moment last = gc_model_moment(gc, gc->cycle);
	u32 width = lifetime_width(gc->tick);

	*model = (struct profile_model){
		.known = true,
		.gogc_percent = gc->options.gogc_percent,
		.tenure = gc->options.tenure,
		.cycles = gc->cycle,
		.ticks = gc->tick,
		.requests = gc->booked - gc->cycle,
		.cycles_ns = last.time_ns - gc->start.time_ns,
		.cycles_bytes = last.allocated_bytes,
		.marked_bytes = gc->marked_bytes,
		.goal_bytes = gc_model_goal(gc),
		.visited_bytes = gc->visited_bytes,
		.tenured_bytes = gc->tenured_bytes,
		.trend = gc_model_trend(gc),
		.judged_bytes = gc->judged_bytes,
		.promoted_bytes = gc->promoted_bytes,
	};
	for (u32 bucket = 0; bucket <= gc->tick / width; bucket++)
		model->clock_ns[bucket] = gc->bucket_ns[bucket] - gc->start.time_ns;
	for (u32 class = 0; class < LIFETIME_CLASSES; class ++)
		model->age_ns[class] = least_age_ns(gc, class, now_ns);
}

static u64 since(const struct image *image, u64 time_ns)
{
	return time_ns > image->start_ns ? time_ns - image->start_ns : 0;
}

/* What ended before has all. */
static void copy_restraint(const struct image *image, u64 end_ns, struct restraint *restraint)
{
	const struct restraint_state *state = image->restraint;

	*restraint = (struct restraint){.limit_percent = state->limit_percent};
	if (image->heap.frozen_ns) {
		restraint->frees_ended = true;
		restraint->frees_ended_ns = since(image, image->heap.frozen_ns);
	}
	if (state->scaled_ns && end_ns >= state->scaled_ns) {
		restraint->scale = state->scale_most;
		restraint->scaled_ns = since(image, state->scaled_ns);
		restraint->scale_error = state->scale_error;
	}
	if (state->detached_ns && end_ns >= state->detached_ns) {
		restraint->detached = true;
		restraint->detached_ns = since(image, state->detached_ns);
	}
}

int snapshot_facts_copy_names(const struct image *image, struct profile *profile)
{
	return text_copy(image->comm, &profile->comm) || text_copy(image->exe, &profile->exe) ||
			       text_copy(image->cgroup, &profile->cgroup) ||
			       text_copy(image->container_id, &profile->container) ||
			       text_copy(image->container_name, &profile->container_name)
		       ? -ENOMEM
		       : 0;
}

int snapshot_facts_copy(const struct recorder_options *options, struct image *image, u64 now_ns,
			struct profile *profile)
{
	u64 end_ns = image->end_ns ? image->end_ns : now_ns;

	image_balance(image);
	memcpy(profile->ledger, image->ledger, sizeof(profile->ledger));
	profile->pid = image->pid;
	profile->image = image->ordinal;
	profile->sample_bytes = options->sample_bytes;
	profile->alloc_only = options->alloc_only;
	profile->show_allocator = options->show_allocator;
	/* `now_ns` was read before the events: they may tell of an image that began after it. */
	profile->duration_ns = end_ns > image->start_ns ? end_ns - image->start_ns : 0;
	profile->peak_inuse_space = estimate_truncate(image->heap.peak_bytes);
	profile->peak_at_ns = image->heap.peak_ns ? image->heap.peak_ns - image->start_ns : 0;
	profile->rss_start_bytes = image->rss_start_bytes;
	profile->rss_end_bytes = image->rss_end_bytes;
	profile->rss_peak_bytes = image->rss_peak_bytes;
	profile->rss_peak_seen = image->rss_peak_seen;
	profile->rss_peak_inuse = image->rss_peak_inuse;
	profile->memory = last_memory_get(image->memory);
	profile->exited = image->ended;
	profile->exit = image->exit;
	profile->memory_limit = image->memory_limit;
	profile->memory_used = image->memory_used;
	if (image->restraint)
		copy_restraint(image, end_ns, &profile->restraint);
	if (!options->alloc_only && !options->counts_alone)
		snapshot_facts_copy_model(&image->heap.gc, image->heap.frozen_ns ? image->heap.frozen_ns : end_ns,
					  &profile->model);
	profile->root = image->root.fd >= 0 ? &image->root : NULL;
	if (image->cpu_end_ns > image->cpu_start_ns)
		profile->cpu_ns = image->cpu_end_ns - image->cpu_start_ns;
	set_cost(options, image, profile);
	return snapshot_facts_copy_names(image, profile);
}
