/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cycles, generations and bookings of one image; driven by heap.c and the recorder. */
#include "heap/collector.h"

void collector_init(struct collector *collector, const struct collector_options *options, u64 now_ns)
{
	*collector = (struct collector){.options = *options, .start = {.time_ns = now_ns}};
	if (!collector->options.tenure)
		collector->options.tenure = COLLECTOR_TENURE_DEFAULT;
}

double collector_goal(const struct collector *collector)
{
	double factor = (double)collector->options.gogc_percent / 100;
	double least = COLLECTOR_MINIMUM_BYTES * factor, wanted = collector->marked_bytes * (1 + factor);

	return wanted > least ? wanted : least;
}

/* What was born `tenure` cycles ago and lives is old from now on. */
static void promote(struct collector *collector)
{
	u32 row = (collector->cycle - collector->options.tenure) % COLLECTOR_KEPT;

	if (collector->cycle < collector->options.tenure)
		return;
	collector->tenured_bytes += collector->young_bytes[row];
	collector->promoted_bytes += collector->young_bytes[row];
	collector->judged_bytes += collector->born_bytes[row];
	collector->young_bytes[row] = collector->born_bytes[row] = 0;
}

static void remember(struct collector *collector, u64 now_ns)
{
	struct moment moment = {now_ns, collector->allocated_bytes, collector->tenured_bytes};

	for (u32 level = 0, n = collector->cycle; level < COLLECTOR_LEVELS; level++, n >>= 1) {
		collector->history[level][n % COLLECTOR_KEPT] = moment;
		if (n & 1)
			break;
	}
}

static void complete(struct collector *collector, u64 now_ns)
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

void collector_tick(struct collector *collector, u64 now_ns)
{
	u64 due_ns;

	if (!collector->options.gogc_percent)
		return;
	/* At the moment they were due, whenever that is noticed. */
	while ((due_ns = collector_moment(collector, collector->cycle).time_ns + COLLECTOR_PERIOD_NS) <= now_ns)
		complete(collector, due_ns);
}

void collector_allocate(struct collector *collector, double bytes, u64 now_ns)
{
	bool reached = collector->marked_bytes + collector->since_bytes + bytes >= collector_goal(collector);

	if (reached && collector->options.gogc_percent)
		complete(collector, now_ns);
	collector->allocated_bytes += bytes;
	collector->since_bytes += bytes;
}

void collector_request(struct collector *collector)
{
	collector->booked++;
	collector->published = collector->booked + 1;
}

void collector_birth(struct collector *collector, double bytes)
{
	collector->born_bytes[collector->cycle % COLLECTOR_KEPT] += bytes;
	collector_change(collector, collector->cycle, bytes);
}

void collector_change(struct collector *collector, u32 birth, double bytes)
{
	bool tenured = collector->cycle - birth >= collector->options.tenure;

	collector->live_bytes += bytes;
	*(tenured ? &collector->tenured_bytes : &collector->young_bytes[birth % COLLECTOR_KEPT]) += bytes;
}

struct moment collector_moment(const struct collector *collector, u32 cycle)
{
	for (u32 level = 0; cycle && level < COLLECTOR_LEVELS; level++) {
		/* The next multiple of 2^level, counted in such steps. */
		u32 step = ((cycle - 1) >> level) + 1;

		if ((collector->cycle >> level) - step < COLLECTOR_KEPT)
			return collector->history[level][step % COLLECTOR_KEPT];
	}
	return collector->start;
}

double collector_trend(const struct collector *collector)
{
	struct moment from = collector_moment(collector, collector->cycle / 2);
	struct moment to = collector_moment(collector, collector->cycle);

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
static void catch_up(struct booking *booking, const struct collector *collector)
{
	u32 due = collector->published - booking->through;

	for (u32 i = 1; i <= due && i <= SLOTS; i++)
		take_slot(booking, &booking->slots[(booking->through + i) % SLOTS]);
	booking->through = collector->published;
}

void booking_add(struct booking *booking, const struct collector *collector, u64 alloc_count, s64 inuse_count)
{
	struct booking_slot *slot = &booking->slots[(collector->booked + 2) % SLOTS];

	catch_up(booking, collector);
	slot->alloc_count += alloc_count;
	slot->inuse_count += inuse_count;
}

struct booking_slot booking_published(const struct booking *booking, const struct collector *collector)
{
	struct booking now = *booking;

	catch_up(&now, collector);
	for (u32 i = 0; !collector->booked && i < SLOTS; i++)
		take_slot(&now, &now.slots[i]);
	return (struct booking_slot){now.alloc_count, (s64)now.inuse_count};
}
