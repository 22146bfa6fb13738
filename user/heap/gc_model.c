/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cycles, generations and bookings of one image. */
#include "heap/gc_model.h"

#include <stdlib.h>

void gc_model_init(struct gc_model *gc, const struct gc_options *options, u64 now_ns)
{
	*gc = (struct gc_model){.options = *options, .start = {.time_ns = now_ns}, .bucket_ns = {now_ns}};
	gc->last = gc->start;
	if (!gc->options.tenure)
		gc->options.tenure = GC_TENURE_DEFAULT;
}

void gc_model_release(struct gc_model *gc)
{
	for (u32 level = 0; level < GC_LEVELS; level++) {
		free(gc->history[level]);
		gc->history[level] = NULL;
	}
}

double gc_model_goal(const struct gc_model *gc)
{
	double factor = (double)gc->options.gogc_percent / 100;
	double least = GC_MINIMUM_BYTES * factor, wanted = gc->marked_bytes * (1 + factor);

	return wanted > least ? wanted : least;
}

/* What was born `tenure` cycles ago and lives is old from now on. */
static void promote(struct gc_model *gc)
{
	u32 row = (gc->cycle - gc->options.tenure) % GC_KEPT;

	if (gc->cycle < gc->options.tenure)
		return;
	gc->tenured_bytes += gc->young_bytes[row];
	gc->promoted_bytes += gc->young_bytes[row];
	gc->judged_bytes += gc->born_bytes[row];
	gc->young_bytes[row] = gc->born_bytes[row] = 0;
}

static void remember(struct gc_model *gc, u64 now_ns)
{
	struct moment moment = {now_ns, gc->allocated_bytes, gc->tenured_bytes};

	gc->last = moment;
	for (u32 level = 0, n = gc->cycle; level < GC_LEVELS; level++, n >>= 1) {
		if (!gc->history[level])
			gc->history[level] = calloc(GC_KEPT, sizeof(moment));
		if (gc->history[level])
			gc->history[level][n % GC_KEPT] = moment;
		if (n & 1)
			break;
	}
}

/* Buckets fold as those of lifetime.h do. */
static void mark_buckets(struct gc_model *gc, u32 before, u64 now_ns)
{
	u32 width = lifetime_width(before), wanted = lifetime_width(gc->tick);

	for (; width < wanted; width *= 2)
		for (u32 bucket = 0; bucket < LIFETIME_BUCKETS / 2; bucket++)
			gc->bucket_ns[bucket] = gc->bucket_ns[2 * bucket];
	for (u32 bucket = before / width + 1; bucket <= gc->tick / width; bucket++)
		gc->bucket_ns[bucket] = now_ns;
}

/* It never goes back: events that the kernel sent at the same moment may come in any order. */
static void advance_clock(struct gc_model *gc, u64 now_ns)
{
	u64 passed_ns = now_ns > gc->start.time_ns ? now_ns - gc->start.time_ns : 0;
	u64 tick = gc->cycle + passed_ns / 1000000000;
	u32 before = gc->tick;

	if (tick <= before)
		return;
	gc->tick = tick < UINT32_MAX ? (u32)tick : UINT32_MAX;
	mark_buckets(gc, before, now_ns);
}

static void complete(struct gc_model *gc, u64 now_ns)
{
	gc->cycle++;
	gc->booked++;
	/* A request may have published this slot already; and the first cycle waits for its sweep, see the header. */
	if (gc->published < gc->booked)
		gc->published = gc->booked + (gc->booked == 1);
	gc->marked_bytes = gc->live_bytes > 0 ? gc->live_bytes : 0;
	gc->visited_bytes += gc->marked_bytes;
	gc->since_bytes = 0;
	promote(gc);
	remember(gc, now_ns);
	advance_clock(gc, now_ns);
}

struct lifetime_time gc_model_now(const struct gc_model *gc)
{
	return (struct lifetime_time){gc->cycle, gc->tick};
}

void gc_model_tick(struct gc_model *gc, u64 now_ns)
{
	u64 due_ns;

	/* At the moment they were due, whenever that is noticed. */
	while (gc->options.gogc_percent && ((due_ns = gc->last.time_ns + GC_PERIOD_NS) <= now_ns))
		complete(gc, due_ns);
	advance_clock(gc, now_ns);
}

void gc_model_allocate(struct gc_model *gc, double bytes, u64 now_ns)
{
	bool reached = gc->marked_bytes + gc->since_bytes + bytes >= gc_model_goal(gc);

	if (reached && gc->options.gogc_percent)
		complete(gc, now_ns);
	gc->allocated_bytes += bytes;
	gc->since_bytes += bytes;
}

void gc_model_request(struct gc_model *gc)
{
	gc->booked++;
	gc->published = gc->booked + 1;
}

void gc_model_birth(struct gc_model *gc, double bytes)
{
	gc->born_bytes[gc->cycle % GC_KEPT] += bytes;
	gc_model_change(gc, gc->cycle, bytes);
}

void gc_model_change(struct gc_model *gc, u32 birth, double bytes)
{
	bool tenured = gc->cycle - birth >= gc->options.tenure;

	gc->live_bytes += bytes;
	*(tenured ? &gc->tenured_bytes : &gc->young_bytes[birth % GC_KEPT]) += bytes;
}

struct moment gc_model_moment(const struct gc_model *gc, u32 cycle)
{
	for (u32 level = 0; cycle && level < GC_LEVELS; level++) {
		/* The next multiple of 2^level, counted in such steps. */
		u32 step = ((cycle - 1) >> level) + 1;
		const struct moment *history = gc->history[level];

		/* One from before there was memory for it has no time. */
		if ((gc->cycle >> level) - step < GC_KEPT && history && history[step % GC_KEPT].time_ns)
			return history[step % GC_KEPT];
	}
	return cycle ? gc->last : gc->start;
}

double gc_model_trend(const struct gc_model *gc)
{
	struct moment from = gc_model_moment(gc, gc->cycle / 2);
	struct moment to = gc_model_moment(gc, gc->cycle);

	if (to.time_ns <= from.time_ns)
		return 0;
	return (to.tenured_bytes - from.tenured_bytes) * 1e9 / (double)(to.time_ns - from.time_ns);
}

#define SLOTS (sizeof(((struct booking *)0)->slots) / sizeof(struct booking_slot))

static void take_slot(struct booking *booking, struct booking_slot *slot)
{
	booking->alloc_count += slot->alloc_count;
	booking->inuse_count += (u64)slot->inuse_count;
	*slot = (struct booking_slot){0};
}

/* Publish what is due. However many cycles have gone by, there are no more than these slots. */
static void catch_up(struct booking *booking, const struct gc_model *gc)
{
	u32 due = gc->published - booking->through;

	for (u32 i = 1; i <= due && i <= SLOTS; i++)
		take_slot(booking, &booking->slots[(booking->through + i) % SLOTS]);
	booking->through = gc->published;
}

void booking_add(struct booking *booking, const struct gc_model *gc, u64 alloc_count, s64 inuse_count)
{
	struct booking_slot *slot = &booking->slots[(gc->booked + 2) % SLOTS];

	catch_up(booking, gc);
	slot->alloc_count += alloc_count;
	slot->inuse_count += inuse_count;
}

void booking_publish(struct booking *booking, const struct gc_model *gc, u64 alloc_count, s64 inuse_count)
{
	catch_up(booking, gc);
	booking->alloc_count += alloc_count;
	booking->inuse_count += (u64)inuse_count;
}

struct booking_slot booking_published(const struct booking *booking, const struct gc_model *gc)
{
	struct booking now = *booking;

	catch_up(&now, gc);
	for (u32 i = 0; !gc->booked && i < SLOTS; i++)
		take_slot(&now, &now.slots[i]);
	return (struct booking_slot){now.alloc_count, (s64)now.inuse_count};
}
