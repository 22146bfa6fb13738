/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collector.c: pacing, booking, generations; and, driven through the recorder by 10^6 random events, what must hold
 * after every one of them, against a model that keeps every object and copies the live set at every cycle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/recorder.h"
#include "../../user/weight.h"

#define MIB    1048576.0
#define SECOND 1000000000ULL

static struct collector collector;
static struct booking booking;

static void begin(u32 gogc_percent)
{
	collector_init(&collector, &(struct collector_options){.gogc_percent = gogc_percent}, SECOND);
	booking = (struct booking){0};
}

/* Allocate and keep: what lives grows with what is allocated. */
static void keep(double bytes)
{
	collector_allocate(&collector, bytes, 2 * SECOND);
	collector_birth(&collector, bytes);
}

/* Allocate and free at once. */
static void churn(double bytes)
{
	collector_allocate(&collector, bytes, 2 * SECOND);
	collector_birth(&collector, bytes);
	collector_change(&collector, collector.cycle, -bytes);
}

static void assert_published(u64 alloc_count, s64 inuse_count)
{
	struct booking_slot published = booking_published(&booking, &collector);

	assert_int_equal(published.alloc_count, alloc_count);
	assert_int_equal(published.inuse_count, inuse_count);
}

/* --- pacing --- */

static void test_collector_first_cycle_completes_at_four_mebibytes(void **state)
{
	(void)state;
	begin(100);
	churn(4 * MIB - 1);
	assert_int_equal(collector.cycle, 0);
	churn(1);
	assert_int_equal(collector.cycle, 1);
	assert_true(collector.since_bytes == 1);
	assert_true(collector.marked_bytes == 0);
}

static void test_collector_gogc_scales_the_least_goal(void **state)
{
	static const u32 percents[] = {25, 50, 100, 400};

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		begin(percents[i]);
		churn(4 * MIB * percents[i] / 100 - 1);
		assert_int_equal(collector.cycle, 0);
		churn(1);
		assert_int_equal(collector.cycle, 1);
	}
}

/* 100 MiB marked: the next cycle after as much again at 100, after half of it at 50. */
static void test_collector_goal_follows_what_was_marked(void **state)
{
	static const u32 percents[] = {50, 100, 200};

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		begin(percents[i]);
		keep(100 * MIB);
		churn(1);
		assert_true(collector.marked_bytes == 100 * MIB);
		assert_int_equal(collector.cycle, 2);
		churn(percents[i] * MIB - 2);
		assert_int_equal(collector.cycle, 2);
		churn(1);
		assert_int_equal(collector.cycle, 3);
	}
}

static void test_collector_two_minutes_complete_a_cycle_at_the_moment_due(void **state)
{
	(void)state;
	begin(100);
	collector_tick(&collector, 121 * SECOND - 1);
	assert_int_equal(collector.cycle, 0);
	collector_tick(&collector, 121 * SECOND);
	assert_int_equal(collector.cycle, 1);
	collector_tick(&collector, 500 * SECOND);
	assert_int_equal(collector.cycle, 4);
	assert_int_equal(collector_moment(&collector, 4).time_ns, 481 * SECOND);
	assert_int_equal(collector_moment(&collector, 2).time_ns, 241 * SECOND);
}

static void test_collector_time_from_before_the_last_cycle_completes_none(void **state)
{
	(void)state;
	begin(100);
	collector_tick(&collector, 121 * SECOND);
	collector_tick(&collector, 0);
	assert_int_equal(collector.cycle, 1);
}

static void test_collector_off_is_paced_by_nothing(void **state)
{
	(void)state;
	begin(0);
	churn(1e15);
	churn(1e15);
	collector_tick(&collector, 1000000 * SECOND);
	collector_request(&collector);
	assert_int_equal(collector.cycle, 0);
	assert_int_equal(collector.booked, 1);
}

static void test_collector_request_leaves_the_pacing_alone(void **state)
{
	struct collector before;

	(void)state;
	begin(100);
	keep(3 * MIB);
	before = collector;
	collector_request(&collector);
	before.booked = collector.booked;
	before.published = collector.published;
	assert_memory_equal(&before, &collector, sizeof(collector));
	churn(1 * MIB);
	assert_int_equal(collector.cycle, 1);
}

/* --- booking: the worked examples of Go's mprof.go --- */

static void complete_cycle(void)
{
	collector_tick(&collector, collector_moment(&collector, collector.cycle).time_ns + COLLECTOR_PERIOD_NS);
}

static void test_booking_before_the_first_cycle_shows_what_is(void **state)
{
	(void)state;
	begin(100);
	booking_add(&booking, &collector, 1, 1);
	assert_published(1, 1);
	booking_add(&booking, &collector, 0, -1);
	assert_published(1, 0);
}

/* Born in period c, dead before c ends: both appear when the cycle after the next completes, never one alone. */
static void test_booking_object_that_dies_young_never_shows_as_in_use(void **state)
{
	(void)state;
	begin(100);
	complete_cycle();
	booking_add(&booking, &collector, 1, 1);
	assert_published(0, 0);
	booking_add(&booking, &collector, 0, -1);
	complete_cycle();
	assert_published(0, 0);
	complete_cycle();
	assert_published(1, 0);
}

static void test_booking_survivor_shows_from_the_second_cycle_to_its_deaths_second(void **state)
{
	(void)state;
	begin(100);
	complete_cycle();
	booking_add(&booking, &collector, 1, 1);
	complete_cycle();
	assert_published(0, 0);
	booking_add(&booking, &collector, 0, -1);
	complete_cycle();
	assert_published(1, 1);
	complete_cycle();
	assert_published(1, 0);
}

static void test_booking_request_shows_all_at_once(void **state)
{
	(void)state;
	begin(100);
	complete_cycle();
	complete_cycle();
	booking_add(&booking, &collector, 5, 5);
	booking_add(&booking, &collector, 0, -2);
	assert_published(0, 0);
	collector_request(&collector);
	assert_published(5, 3);
	booking_add(&booking, &collector, 1, 1);
	assert_published(5, 3);
	complete_cycle();
	assert_published(5, 3);
	complete_cycle();
	assert_published(6, 4);
}

static void test_booking_first_cycle_shows_what_lived_when_it_completed(void **state)
{
	(void)state;
	begin(100);
	booking_add(&booking, &collector, 2, 2);
	complete_cycle();
	booking_add(&booking, &collector, 1, 1);
	assert_published(2, 2);
	complete_cycle();
	assert_published(2, 2);
	complete_cycle();
	assert_published(3, 3);
}

static void test_booking_untouched_for_many_cycles_catches_up(void **state)
{
	(void)state;
	begin(100);
	booking_add(&booking, &collector, 1, 1);
	complete_cycle();
	booking_add(&booking, &collector, 1, 1);
	for (unsigned int i = 0; i < 1000; i++)
		complete_cycle();
	assert_published(2, 2);
	booking_add(&booking, &collector, 1, 1);
	assert_published(2, 2);
}

static void test_booking_revival_after_the_death_was_published_undoes_it(void **state)
{
	(void)state;
	begin(100);
	booking_add(&booking, &collector, 1, 1);
	booking_add(&booking, &collector, 0, -1);
	collector_request(&collector);
	assert_published(1, 0);
	booking_add(&booking, &collector, 0, 1);
	collector_request(&collector);
	assert_published(1, 1);
}

/* --- generations and history --- */

static void test_collector_object_is_tenured_when_it_has_survived_two_cycles(void **state)
{
	(void)state;
	begin(100);
	collector_birth(&collector, 10);
	collector_birth(&collector, 5);
	complete_cycle();
	collector_change(&collector, 0, -5);
	assert_true(collector.tenured_bytes == 0);
	complete_cycle();
	assert_true(collector.tenured_bytes == 10);
	assert_true(collector.promoted_bytes == 10);
	assert_true(collector.judged_bytes == 15);
	assert_true(collector.visited_bytes == 25);
	collector_change(&collector, 0, -10);
	assert_true(collector.tenured_bytes == 0);
	assert_true(collector.promoted_bytes == 10);
	assert_true(collector.live_bytes == 0);
}

static void test_collector_tenure_is_counted_in_cycles_up_to_the_largest(void **state)
{
	(void)state;
	for (u32 tenure = 1; tenure <= COLLECTOR_TENURE_MAX; tenure++) {
		collector_init(&collector, &(struct collector_options){.gogc_percent = 100, .tenure = tenure}, 0);
		for (u32 cycle = 0; cycle < 100; cycle++) {
			collector_birth(&collector, 1);
			assert_true(collector.tenured_bytes == (cycle < tenure ? 0 : cycle - tenure + 1));
			complete_cycle();
		}
	}
}

static void test_collector_trend_is_growth_per_second(void **state)
{
	(void)state;
	begin(100);
	assert_true(collector_trend(&collector) == 0);
	for (unsigned int i = 0; i < 20; i++) {
		collector_birth(&collector, 1200);
		complete_cycle();
	}
	assert_true(fabs(collector_trend(&collector) - 10) < 1e-9);
}

/* 10^5 cycles, one a unit of time: exact for the last 32, never too early and at most 1/16 too late for the others. */
static void test_collector_moment_is_exact_lately_and_close_long_ago(void **state)
{
	(void)state;
	begin(100);
	for (u32 i = 1; i <= 100000; i++)
		complete_cycle();
	for (u32 i = 1; i <= 100000; i++) {
		u64 at = (collector_moment(&collector, i).time_ns - SECOND) / COLLECTOR_PERIOD_NS;

		assert_true(at >= i);
		if (i > 100000 - 32)
			assert_int_equal(at, i);
		assert_true((double)(at - i) <= (100000.0 - i) / 16 + 1);
	}
	assert_int_equal(collector_moment(&collector, 0).time_ns, SECOND);
}

static void test_collector_moment_is_exact_where_buckets_of_lifetimes_begin(void **state)
{
	(void)state;
	begin(100);
	for (u32 cycle = 0; cycle < 10000; cycle++) {
		for (u32 begins = 0; begins <= cycle; begins += lifetime_width(cycle))
			assert_int_equal(collector_moment(&collector, begins).time_ns,
					 SECOND + begins * COLLECTOR_PERIOD_NS);
		complete_cycle();
	}
}

/* --- long random sequences, through the recorder
 * ---------------------------------------------------------------------------- */

#define STEPS	1000000
#define PIDS	3
#define OBJECTS 120 /* of one image, in use or moved */
#define THREADS 4
#define SITES	5

static u64 seed;

static u32 chance(u32 below)
{
	u64 z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (u32)((z ^ z >> 31) >> 32) % below;
}

struct counts {
	u64 alloc[SITES], inuse[SITES];
};

enum fate {
	GONE,
	IN_USE,
	MOVED
};

/* What the recorder must know of one image, kept the long way round. */
struct model {
	u32 number;
	struct counts now, at[4]; /* at[n % 4]: when booked cycle n completed */
	u32 cycle, booked, shown; /* shown: the cycle whose state is public */
	double marked, since, live;
	u64 last_ns;
	struct {
		u64 id;
		u32 site, birth, death, tid;
		enum fate fate;
	} objects[OBJECTS];
	u32 died[SITES][LIFETIME_CLASSES]; /* by age */
};

static struct {
	struct recorder *recorder;
	struct model images[PIDS];
	u64 now_ns, next_id, sample_bytes;
	u32 numbers, cycles;
	bool requests;
} world;

static u64 site_size(u32 site)
{
	return 1ULL << (4 * site);
}

static double site_weight(u32 site)
{
	return (double)site_size(site) / weight_probability(site_size(site), world.sample_bytes);
}

static void model_book(struct model *model)
{
	model->booked++;
	model->at[model->booked % 4] = model->now;
}

static void model_complete(struct model *model, u64 now_ns)
{
	model_book(model);
	if (model->shown + 1 < model->booked)
		model->shown = model->booked - 1;
	if (model->booked == 1)
		model->shown = 1;
	model->cycle++;
	world.cycles++;
	model->marked = model->live;
	model->since = 0;
	model->last_ns = now_ns;
}

static void model_tick(struct model *model)
{
	while (model->last_ns + 120 * SECOND <= world.now_ns)
		model_complete(model, model->last_ns + 120 * SECOND);
}

static struct event header(u16 kind, const struct model *model)
{
	return (struct event){.kind = kind, .process = model->number, .time_ns = world.now_ns};
}

static void tell(const void *event, size_t size)
{
	assert_int_equal(recorder_event(world.recorder, event, size), 0);
}

static void model_alloc(struct model *model, u32 at)
{
	struct event_alloc event = {.header = header(EVENT_ALLOC, model), .object = ++world.next_id};
	u32 site = chance(SITES);
	double least = 4 * MIB, goal = 2 * model->marked;

	event.size = site_size(site);
	event.stack = site;
	event.interval = world.sample_bytes;
	tell(&event, sizeof(event));
	if (model->marked + model->since + site_weight(site) >= (goal > least ? goal : least))
		model_complete(model, world.now_ns);
	model->since += site_weight(site);
	model->live += site_weight(site);
	model->now.alloc[site]++;
	model->now.inuse[site]++;
	model->objects[at].id = event.object;
	model->objects[at].site = site;
	model->objects[at].birth = model->cycle;
	model->objects[at].fate = IN_USE;
}

static void model_leave(struct model *model, u32 at, enum fate fate)
{
	model->now.inuse[model->objects[at].site]--;
	model->live -= site_weight(model->objects[at].site);
	model->objects[at].fate = fate;
	model->objects[at].death = model->cycle;
	model->died[model->objects[at].site][lifetime_class(model->cycle - model->objects[at].birth)]++;
}

static void model_free(struct model *model, u32 at)
{
	struct event_object event = {.header = header(EVENT_FREE, model), .object = model->objects[at].id};

	tell(&event, sizeof(event));
	if (model->objects[at].fate == IN_USE)
		model_leave(model, at, GONE);
}

/* realloc: the old object is moved, and comes back if the call fails. */
static void model_move(struct model *model, u32 at)
{
	struct event_moved event = {
		.header = header(EVENT_MOVED, model), .object = model->objects[at].id, .tid = 1 + chance(THREADS)};

	tell(&event, sizeof(event));
	if (model->objects[at].fate != IN_USE)
		return;
	for (u32 i = 0; i < OBJECTS; i++)
		if (model->objects[i].fate == MOVED && model->objects[i].tid == event.tid)
			model->objects[i].fate = GONE;
	model_leave(model, at, MOVED);
	model->objects[at].tid = event.tid;
}

static void model_revive(struct model *model, u32 at)
{
	struct event_moved event = {
		.header = header(EVENT_REVIVED, model), .object = model->objects[at].id, .tid = model->objects[at].tid};

	tell(&event, sizeof(event));
	if (model->objects[at].fate != MOVED)
		return;
	model->objects[at].fate = IN_USE;
	model->died[model->objects[at].site][lifetime_class(model->objects[at].death - model->objects[at].birth)]--;
	model->now.inuse[model->objects[at].site]++;
	model->live += site_weight(model->objects[at].site);
}

static void model_begin(struct model *model)
{
	*model = (struct model){.number = ++world.numbers, .last_ns = world.now_ns};
}

/* An image that has ended goes on being published as it was. */
static void model_exec(struct model *model, u32 pid)
{
	struct event_process event = {.header = header(EVENT_EXEC, model), .pid = pid, .next = world.numbers + 1};

	tell(&event, sizeof(event));
	model_begin(model);
}

static void model_exit(struct model *model, u32 pid)
{
	struct event_process event = {.header = header(EVENT_EXIT, model), .pid = pid};

	tell(&event, sizeof(event));
	model_begin(model);
	assert_int_equal(recorder_begin(world.recorder, model->number, pid, 0, world.now_ns, NULL), 0);
}

static void request_all(void)
{
	if (!world.requests)
		return;
	recorder_request(world.recorder);
	for (u32 i = 0; i < PIDS; i++) {
		model_book(&world.images[i]);
		world.images[i].shown = world.images[i].booked;
	}
}

static void random_step(void)
{
	u32 pid = chance(PIDS), at = chance(OBJECTS), kind = chance(20000);
	struct model *model = &world.images[pid];

	world.now_ns += chance(1000) ? chance(1000000) : (u64)chance(200) * SECOND;
	if (kind < 10)
		return request_all();
	model_tick(model);
	if (kind < 15)
		return model_exec(model, pid);
	if (kind < 20)
		return model_exit(model, pid);
	if (kind < 1000) {
		recorder_tick(world.recorder, world.now_ns);
		for (u32 i = 0; i < PIDS; i++)
			model_tick(&world.images[i]);
	} else if (kind < 3000) {
		model_move(model, at);
	} else if (kind < 5000) {
		model_revive(model, at);
	} else if (kind < 11000 || model->objects[at].fate != GONE) {
		model_free(model, at);
	} else {
		model_alloc(model, at);
	}
}

static const struct heap_site *find_site(const struct heap *heap, u32 site)
{
	struct heap_site_key key = {.stack = site, .size = site_size(site)};
	struct heap_site *found;

	HASH_FIND(hh, heap->sites, &key, sizeof(key), found);
	return found;
}

static void assert_site(const struct heap *heap, const struct model *model, u32 site)
{
	const struct counts *shown = model->booked ? &model->at[model->shown % 4] : &model->now;
	const struct heap_site *found = find_site(heap, site);
	struct booking_slot published;

	if (!found) {
		assert_int_equal(model->now.alloc[site], 0);
		return;
	}
	published = booking_published(&found->booking, &heap->collector);
	assert_true(published.inuse_count >= 0);
	assert_true((u64)published.inuse_count <= published.alloc_count);
	assert_int_equal(published.alloc_count, shown->alloc[site]);
	assert_int_equal(published.inuse_count, shown->inuse[site]);
	assert_int_equal(found->alloc_count, model->now.alloc[site]);
	assert_int_equal(found->inuse_count, model->now.inuse[site]);
}

static void assert_as_modelled(void)
{
	for (u32 i = 0; i < PIDS; i++) {
		const struct model *model = &world.images[i];
		const struct heap *heap = &recorder_find(world.recorder, model->number)->heap;

		assert_int_equal(heap->collector.cycle, model->cycle);
		assert_int_equal(heap->collector.booked, model->booked);
		assert_true(heap->collector.published == 0 || heap->collector.published - 1 == model->shown);
		assert_int_equal(heap->alloc_count - heap->freed_count, heap->inuse_count);
		for (u32 site = 0; site < SITES; site++)
			assert_site(heap, model, site);
	}
}

/* Objects know their birth, and generations add up to what lives. */
static void assert_generations(void)
{
	for (u32 i = 0; i < PIDS; i++) {
		const struct model *model = &world.images[i];
		const struct heap *heap = &recorder_find(world.recorder, model->number)->heap;
		double young = 0, old = 0;

		for (u32 at = 0; at < OBJECTS; at++) {
			struct heap_object *object;

			if (model->objects[at].fate != IN_USE)
				continue;
			HASH_FIND(hh, heap->objects, &model->objects[at].id, sizeof(u64), object);
			assert_non_null(object);
			assert_int_equal(object->birth, model->objects[at].birth);
			*(model->cycle - object->birth >= 2 ? &old : &young) += object->site->weight_bytes;
		}
		for (u32 k = 0; k < COLLECTOR_KEPT; k++)
			young -= heap->collector.young_bytes[k];
		assert_true(fabs(young) < 1e-3);
		assert_true(fabs(old - heap->collector.tenured_bytes) < 1e-3);
	}
}

static u64 births(const struct lifetime *lifetime)
{
	u64 count = 0;

	for (u32 bucket = 0; bucket < LIFETIME_BUCKETS; bucket++)
		count += lifetime->born[bucket];
	return count;
}

/* What lives is counted by its age while the records are closed, and no trace of it is left afterwards. */
static void assert_ages(void)
{
	for (u32 i = 0; i < PIDS; i++) {
		const struct model *model = &world.images[i];
		struct heap *heap = &recorder_find(world.recorder, model->number)->heap;
		u32 ended[SITES][LIFETIME_CLASSES] = {0};

		for (u32 at = 0; at < OBJECTS; at++)
			if (model->objects[at].fate == IN_USE)
				ended[model->objects[at].site]
				     [lifetime_class(model->cycle - model->objects[at].birth)]++;
		heap_lifetimes_close(heap);
		for (u32 site = 0; site < SITES; site++) {
			const struct heap_site *found = find_site(heap, site);

			if (!found)
				continue;
			assert_memory_equal(found->lifetime.ended, ended[site], sizeof(ended[site]));
			assert_memory_equal(found->lifetime.died, model->died[site], sizeof(model->died[site]));
			assert_int_equal(births(&found->lifetime), model->now.alloc[site]);
		}
		heap_lifetimes_reopen(heap);
		memset(ended, 0, sizeof(ended));
		for (const struct heap_site *site = heap->sites; site; site = site->hh.next)
			assert_memory_equal(site->lifetime.ended, ended[0], sizeof(ended[0]));
	}
}

static void simulate(u64 sample_bytes, u64 first_seed, bool requests)
{
	struct recorder_options options = {.sample_bytes = sample_bytes, .collector = {.gogc_percent = 100}};

	memset(&world, 0, sizeof(world));
	seed = first_seed;
	world.sample_bytes = sample_bytes;
	world.requests = requests;
	world.now_ns = SECOND;
	world.recorder = recorder_new(&options);
	for (u32 pid = 0; pid < PIDS; pid++) {
		model_begin(&world.images[pid]);
		recorder_begin(world.recorder, world.images[pid].number, pid, 0, world.now_ns, NULL);
	}
	for (u32 step = 0; step < STEPS; step++) {
		random_step();
		assert_as_modelled();
		if (step % 64 == 0) {
			assert_generations();
			assert_ages();
		}
	}
}

static void finish(void)
{
	recorder_free(world.recorder);
	world.recorder = NULL;
}

static void test_collector_random_events_exact_keep_every_invariant(void **state)
{
	(void)state;
	simulate(1, 11, true);
	assert_true(world.numbers > 200);
	assert_true(world.cycles > 1000);
	finish();
}

static void test_collector_random_events_sampled_keep_every_invariant(void **state)
{
	(void)state;
	simulate(4096, 12, true);
	assert_true(world.numbers > 200);
	assert_true(world.cycles > 1000);
	finish();
}

static const struct heap *keep_lifetimes(const struct model *model, struct lifetime lifetimes[SITES])
{
	const struct heap *heap = &recorder_find(world.recorder, model->number)->heap;

	for (u32 site = 0; site < SITES; site++) {
		const struct heap_site *found = find_site(heap, site);

		if (found)
			lifetimes[site] = found->lifetime;
	}
	return heap;
}

/* The same events with and without somebody asking for profiles: everything but the bookings is the same to the bit. */
static void test_collector_requests_change_no_age_and_no_survival(void **state)
{
	static struct collector asked[PIDS];
	static struct model models[PIDS];
	static struct lifetime lifetimes[PIDS][SITES];
	u32 bookings = 0;

	(void)state;
	simulate(4096, 13, true);
	for (u32 i = 0; i < PIDS; i++)
		asked[i] = keep_lifetimes(&world.images[i], lifetimes[i])->collector;
	memcpy(models, world.images, sizeof(models));
	finish();
	simulate(4096, 13, false);
	for (u32 i = 0; i < PIDS; i++) {
		const struct heap *heap = &recorder_find(world.recorder, world.images[i].number)->heap;
		struct lifetime unasked[SITES] = {0};

		bookings += asked[i].booked - heap->collector.booked;
		asked[i].booked = heap->collector.booked;
		asked[i].published = heap->collector.published;
		assert_memory_equal(&asked[i], &heap->collector, sizeof(*asked));
		keep_lifetimes(&world.images[i], unasked);
		assert_memory_equal(lifetimes[i], unasked, sizeof(unasked));
		assert_memory_equal(models[i].objects, world.images[i].objects, sizeof(models[i].objects));
	}
	assert_true(bookings > 0);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collector_first_cycle_completes_at_four_mebibytes),
		cmocka_unit_test(test_collector_gogc_scales_the_least_goal),
		cmocka_unit_test(test_collector_goal_follows_what_was_marked),
		cmocka_unit_test(test_collector_two_minutes_complete_a_cycle_at_the_moment_due),
		cmocka_unit_test(test_collector_time_from_before_the_last_cycle_completes_none),
		cmocka_unit_test(test_collector_off_is_paced_by_nothing),
		cmocka_unit_test(test_collector_request_leaves_the_pacing_alone),
		cmocka_unit_test(test_booking_before_the_first_cycle_shows_what_is),
		cmocka_unit_test(test_booking_object_that_dies_young_never_shows_as_in_use),
		cmocka_unit_test(test_booking_survivor_shows_from_the_second_cycle_to_its_deaths_second),
		cmocka_unit_test(test_booking_request_shows_all_at_once),
		cmocka_unit_test(test_booking_first_cycle_shows_what_lived_when_it_completed),
		cmocka_unit_test(test_booking_untouched_for_many_cycles_catches_up),
		cmocka_unit_test(test_booking_revival_after_the_death_was_published_undoes_it),
		cmocka_unit_test(test_collector_object_is_tenured_when_it_has_survived_two_cycles),
		cmocka_unit_test(test_collector_tenure_is_counted_in_cycles_up_to_the_largest),
		cmocka_unit_test(test_collector_trend_is_growth_per_second),
		cmocka_unit_test(test_collector_moment_is_exact_lately_and_close_long_ago),
		cmocka_unit_test(test_collector_moment_is_exact_where_buckets_of_lifetimes_begin),
		cmocka_unit_test(test_collector_random_events_exact_keep_every_invariant),
		cmocka_unit_test(test_collector_random_events_sampled_keep_every_invariant),
		cmocka_unit_test(test_collector_requests_change_no_age_and_no_survival),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
