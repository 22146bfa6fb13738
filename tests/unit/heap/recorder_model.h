/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A recorder that is fed random events, and what it must then know about every image, computed the slow way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heap/apply_event.h"
#include "profile/estimate.h"
#include "unit/profile/chance.h"

#define MIB    1048576.0
#define SECOND 1000000000ULL

#define PIDS	3
#define OBJECTS 120 /* of one image, in use or moved */
#define THREADS 4
#define SITES	5

static u64 seed;

static inline u32 chance(u32 below)
{
	return chance_below(&seed, below);
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

static inline u64 site_size(u32 site)
{
	return 1ULL << (4 * site);
}

static inline double site_weight(u32 site)
{
	return (double)site_size(site) / estimate_probability(site_size(site), world.sample_bytes);
}

static inline void model_book(struct model *model)
{
	model->booked++;
	model->at[model->booked % 4] = model->now;
}

static inline void model_complete(struct model *model, u64 now_ns)
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

static inline void model_tick(struct model *model)
{
	while (model->last_ns + 120 * SECOND <= world.now_ns)
		model_complete(model, model->last_ns + 120 * SECOND);
}

static inline struct event header(u16 kind, const struct model *model)
{
	return (struct event){.kind = kind, .process = model->number, .time_ns = world.now_ns};
}

static inline void tell(const void *event, size_t size)
{
	assert_int_equal(apply_event(world.recorder, event, size), 0);
}

static inline void model_alloc(struct model *model, u32 at)
{
	struct event_alloc event = {.header = header(EVENT_ALLOC, model), .object = ++world.next_id};
	u32 site = chance(SITES);
	double least = 4 * MIB, goal = 2 * model->marked;

	event.size = site_size(site);
	event.stack = site;
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

static inline void model_leave(struct model *model, u32 at, enum fate fate)
{
	model->now.inuse[model->objects[at].site]--;
	model->live -= site_weight(model->objects[at].site);
	model->objects[at].fate = fate;
	model->objects[at].death = model->cycle;
	model->died[model->objects[at].site][lifetime_class(model->cycle - model->objects[at].birth)]++;
}

static inline void model_free(struct model *model, u32 at)
{
	struct event_object event = {.header = header(EVENT_FREE, model), .object = model->objects[at].id};

	tell(&event, sizeof(event));
	if (model->objects[at].fate == IN_USE)
		model_leave(model, at, GONE);
}

/* realloc: the old object is moved, and comes back if the call fails. */
static inline void model_move(struct model *model, u32 at)
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

static inline void model_revive(struct model *model, u32 at)
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

static inline void model_begin(struct model *model)
{
	*model = (struct model){.number = ++world.numbers, .last_ns = world.now_ns};
}

/* An image that has ended goes on being published as it was. */
static inline void model_exec(struct model *model, u32 pid)
{
	struct event_process event = {.header = header(EVENT_EXEC, model), .pid = pid, .next = world.numbers + 1};

	tell(&event, sizeof(event));
	model_begin(model);
}

static inline void model_exit(struct model *model, u32 pid)
{
	struct event_process event = {.header = header(EVENT_EXIT, model), .pid = pid};

	tell(&event, sizeof(event));
	model_begin(model);
	assert_int_equal(recorder_begin(world.recorder, model->number, pid, 0, world.now_ns, NULL), 0);
}

static inline void request_all(void)
{
	if (!world.requests)
		return;
	recorder_request(world.recorder);
	for (u32 i = 0; i < PIDS; i++) {
		model_book(&world.images[i]);
		world.images[i].shown = world.images[i].booked;
	}
}

static inline void random_step(void)
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
