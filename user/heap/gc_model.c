/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cycles, generations and bookings of one image; driven by heap.c and the recorder. */
#include "heap/gc_model.h"

void gc_model_init(struct gc_model *collector, const struct gc_options *options, u64 now_ns)
{
	*collector = (struct gc_model){.options = *options, .start = {.time_ns = now_ns}};
	if (!collector->options.tenure)
		collector->options.tenure = GC_TENURE_DEFAULT;
}

double gc_model_goal(const struct gc_model *collector)
{
	double factor = (double)collector->options.gogc_percent / 100;
	double least = GC_MINIMUM_BYTES * factor, wanted = collector->marked_bytes * (1 + factor);

	return wanted > least ? wanted : least;
}

/* What was born `tenure` cycles ago and lives is old from now on. */
static void promote(struct gc_model *collector)
{
	u32 row = (collector->cycle - collector->options.tenure) % GC_KEPT;

	if (collector->cycle < collector->options.tenure)
		return;
	collector->tenured_bytes += collector->young_bytes[row];
	collector->promoted_bytes += collector->young_bytes[row];
	collector->judged_bytes += collector->born_bytes[row];
	collector->young_bytes[row] = collector->born_bytes[row] = 0;
}

static void remember(struct gc_model *collector, u64 now_ns)
{
	struct moment moment = {now_ns, collector->allocated_bytes, collector->tenured_bytes};

	for (u32 level = 0, n = collector->cycle; level < GC_LEVELS; level++, n >>= 1) {
		collector->history[level][n % GC_KEPT] = moment;
		if (n & 1)
			break;
	}
}

static void complete(struct gc_model *collector, u64 now_ns)
{
	collector->cycle++;
	collector->booked++;
	/* A request may have published this slot already; and the first cycle waits for its sweep, see the header. */
	if (collector->published < collector->booked)
		collector->published = collector->booked + (collector->booked == 1);
	collector->marked_bytes = collector->live_bytes > 0 ? collector->live_bytes : 0;
	collector->visited_bytes += collector->marked_bytes;
	collector->since_bytes = 0;
	promote(collector);
	remember(collector, now_ns);
}

void gc_model_tick(struct gc_model *collector, u64 now_ns)
{
	u64 due_ns;

	if (!collector->options.gogc_percent)
		return;
	/* At the moment they were due, whenever that is noticed. */
	while ((due_ns = gc_model_moment(collector, collector->cycle).time_ns + GC_PERIOD_NS) <= now_ns)
		complete(collector, due_ns);
}

void gc_model_allocate(struct gc_model *collector, double bytes, u64 now_ns)
{
	bool reached = collector->marked_bytes + collector->since_bytes + bytes >= gc_model_goal(collector);

	if (reached && collector->options.gogc_percent)
		complete(collector, now_ns);
	collector->allocated_bytes += bytes;
	collector->since_bytes += bytes;
}

void gc_model_request(struct gc_model *collector)
{
	collector->booked++;
	collector->published = collector->booked + 1;
}

void gc_model_birth(struct gc_model *collector, double bytes)
{
	collector->born_bytes[collector->cycle % GC_KEPT] += bytes;
	gc_model_change(collector, collector->cycle, bytes);
}

void gc_model_change(struct gc_model *collector, u32 birth, double bytes)
{
	bool tenured = collector->cycle - birth >= collector->options.tenure;

	collector->live_bytes += bytes;
	*(tenured ? &collector->tenured_bytes : &collector->young_bytes[birth % GC_KEPT]) += bytes;
}

struct moment gc_model_moment(const struct gc_model *collector, u32 cycle)
{
	for (u32 level = 0; cycle && level < GC_LEVELS; level++) {
		/* The next multiple of 2^level, counted in such steps. */
		u32 step = ((cycle - 1) >> level) + 1;

		if ((collector->cycle >> level) - step < GC_KEPT)
			return collector->history[level][step % GC_KEPT];
	}
	return collector->start;
}

double gc_model_trend(const struct gc_model *collector)
{
	struct moment from = gc_model_moment(collector, collector->cycle / 2);
	struct moment to = gc_model_moment(collector, collector->cycle);

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
static void catch_up(struct booking *booking, const struct gc_model *collector)
{
	u32 due = collector->published - booking->through;

	for (u32 i = 1; i <= due && i <= SLOTS; i++)
		take_slot(booking, &booking->slots[(booking->through + i) % SLOTS]);
	booking->through = collector->published;
}

void booking_add(struct booking *booking, const struct gc_model *collector, u64 alloc_count, s64 inuse_count)
{
	struct booking_slot *slot = &booking->slots[(collector->booked + 2) % SLOTS];

	catch_up(booking, collector);
	slot->alloc_count += alloc_count;
	slot->inuse_count += inuse_count;
}

struct booking_slot booking_published(const struct booking *booking, const struct gc_model *collector)
{
	struct booking now = *booking;

	catch_up(&now, collector);
	for (u32 i = 0; !collector->booked && i < SLOTS; i++)
		take_slot(&now, &now.slots[i]);
	return (struct booking_slot){now.alloc_count, (s64)now.inuse_count};
}
