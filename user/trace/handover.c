/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/handover.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "inline/sampler_seed.h"
#include "inline/sampler_start.h"
#include "system/injection.h"
#include "system/shortage.h"
#include "trace/bpf_maps.h"
#include "trace/injected.h"
#include "trace/on_ring.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"

#define FILES_MAX     16
#define SETTLED_NS    1000000000ULL /* a program that ends sooner is not worth it */
#define AGAIN_NS      1000000000ULL
#define AT_ONCE	      4	 /* of a population, in one look */
#define MOMENTS	      8	 /* in one go */
#define HANDOVERS_MAX 10 /* goes */

struct handover {
	struct tracer *tracer;
	struct tracee *tracee;
	const struct image *image;
	struct injected *injected;
	struct running_sampler *samplers[FILES_MAX];
	struct sampler_seed seeds[FILES_MAX]; /* of them */
	u32 count;
	u32 wide;    /* of the scope, before */
	u64 pending; /* sampled calls under way */
	u64 held;    /* allocations among the events that are held */
};

/* --- what the samplers are told ---------------------------------------------------------------------------------------- */

/* It is not known which file's an object is: each is told of all. One of another file's is never looked for there. */
static int tell_all(struct handover *handover)
{
	const struct heap *heap = &handover->image->heap;
	u64 *addresses = malloc((HASH_COUNT(heap->objects) + 1) * sizeof(*addresses));
	size_t count = 0;
	int err = addresses ? 0 : -ENOMEM;

	for (struct heap_object *object = heap->objects; object && !err; object = object->hh.next)
		addresses[count++] = object->addr;
	for (u32 i = 0; i < handover->count && !err; i++)
		err = sampler_seed_begin(&handover->seeds[i], handover->samplers[i], addresses, count);
	free(addresses);
	return err;
}

static int tell(struct handover *handover, u64 object, bool lives)
{
	int err = 0;

	for (u32 i = 0; i < handover->count && !err; i++)
		err = (lives ? sampler_seed_add : sampler_seed_remove)(&handover->seeds[i], object);
	return err;
}

/* The address of an object of which an event tells; 0: it is not known. */
static u64 find_address(const struct handover *handover, u64 id)
{
	const struct held_events *held = &handover->tracer->held;
	const struct event *event;
	struct heap_object *object;
	size_t at = 0, size;

	HASH_FIND(hh, handover->image->heap.objects, &id, sizeof(id), object);
	if (object)
		return object->addr;
	while ((event = held_events_next(held, &at, &size)))
		if (event->kind == EVENT_ALLOC && !(event->flags & EVENT_GO) &&
		    ((const struct event_alloc *)event)->object == id)
			return ((const struct event_alloc *)event)->addr;
	return 0;
}

/* A failed realloc's object is waited for till another moment. */
static int tell_event(struct handover *handover, const struct event *event)
{
	const struct event_alloc *born = (const struct event_alloc *)event;
	u64 address;

	/* Go's own objects are none of the sampler's. */
	if (event->flags & EVENT_GO)
		return 0;
	switch (event->kind) {
	case EVENT_ALLOC:
		handover->held++;
		return event->flags & (EVENT_REFUSED | EVENT_UNFOLLOWED) ? 0 : tell(handover, born->addr, true);
	case EVENT_FREE:
	case EVENT_OVERWRITE:
	case EVENT_MOVED:
		address = find_address(handover, ((const struct event_object *)event)->object);
		return address ? tell(handover, address, false) : 0;
	case EVENT_REVIVED:
		return -ESTALE;
	default:
		return 0;
	}
}

/* What has come since all were told. It is dealt with when the process runs again: that may take long. */
static int tell_held(struct handover *handover)
{
	const struct event *event;
	size_t at = 0, size;
	int err = on_ring_hold(handover->tracer);

	while (!err && (event = held_events_next(&handover->tracer->held, &at, &size)))
		if (event->process == handover->image->number)
			err = tell_event(handover, event);
	return err;
}

/* --- the moment --------------------------------------------------------------------------------------------------------- */

static void count_pending(void *arg, u32 process)
{
	struct handover *handover = arg;

	handover->pending += process == handover->image->number;
}

/* Is all that the probes have sampled known, and none of it under way? */
static int check_counts(struct handover *handover)
{
	struct kernel *kernel = handover->tracer->kernel;
	u64 tally[COUNTER_MAX] = {0}, known;
	int err = kernel_peek_tally(kernel, handover->image->number, tally);

	if (!err)
		err = kernel_for_each_pending(kernel, count_pending, handover);
	if (err)
		return err;
	known = handover->image->heap.alloc_count + handover->held + tally[COUNTER_FAILED] + tally[COUNTER_LOST_RING] +
		tally[COUNTER_LOST_STASH] + tally[COUNTER_RETURN_MISSED];
	return handover->pending || tally[COUNTER_SAMPLED] != known ? -ESTALE : 0;
}

static int turn_on(struct handover *handover, struct stopped_threads *threads, struct scope *scope)
{
	int err = sampler_start_check(handover->samplers, handover->count, threads);

	if (!err)
		err = tell_held(handover);
	if (!err)
		err = scope->process == handover->image->number ? check_counts(handover) : -ESTALE;
	if (err)
		return err;
	handover->wide = scope->wide;
	handover->injected->since_ns = clock_now_ns();
	__atomic_store_n(&scope->wide, SCOPE_INLINE, __ATOMIC_RELEASE);
	return 0;
}

static int turn(struct stopped_threads *threads, bool on, void *arg)
{
	struct handover *handover = arg;
	struct scope *scope = kernel_scope(handover->tracer->kernel, handover->tracee->scope);

	if (on)
		return turn_on(handover, threads, scope);
	handover->injected->since_ns = 0;
	__atomic_store_n(&scope->wide, handover->wide, __ATOMIC_RELEASE);
	return 0;
}

static int start_all(struct handover *handover)
{
	const struct injection_turn change = {.turn = turn, .arg = handover};
	u64 stopped_ns = 0;
	int err = sampler_start_all(handover->samplers, handover->count, &change, &stopped_ns);

	for (u32 i = 0; i < handover->count; i++)
		handover->samplers[i]->all_stopped_ns = stopped_ns;
	return err;
}

static int add_samplers(struct handover *handover)
{
	for (struct injected_file *file = handover->injected->files; file; file = file->next) {
		if (handover->count == FILES_MAX)
			return -E2BIG;
		handover->seeds[handover->count].memory = -1;
		handover->samplers[handover->count++] = &file->sampler;
	}
	return 0;
}

/* 0: it has it; -ESTALE, or what injection_patch and the seeds fail with: it has it not. */
static int start(struct tracer *tracer, struct tracee *tracee, const struct image *image, struct injected *injected)
{
	struct handover handover = {.tracer = tracer, .tracee = tracee, .image = image, .injected = injected};
	int err = add_samplers(&handover);

	if (!err)
		err = tell_all(&handover);
	if (!err)
		err = start_all(&handover);
	for (u32 i = 0; i < handover.count; i++)
		sampler_seed_release(&handover.seeds[i]);
	if (err)
		return err;
	tracee->injected = injected;
	tracee->wide = true;
	tracee_close_links(&tracee->files);
	injected_say_stops(injected);
	return 0;
}

static void stay(struct tracee *tracee, const struct injected *injected, int err)
{
	tracee->probes_stay = true;
	injected_say_refused(tracee->pid, injected->files->file,
			     err == -ESTALE || err == -EAGAIN ? "there is no moment without a sampled call under way"
							      : injection_refusal(err));
}

/* --- a process that is attached to ------------------------------------------------------------------------------------- */

int handover_begin(struct tracer *tracer, struct tracee *tracee, const struct image *image)
{
	struct injected *injected = NULL;
	struct patience patience = injected_be_patient(tracee->pid);
	int err = injected_load_all(tracer, tracee->pid, image, INJECTED_LOAD, &injected);

	if (err) {
		tracee->probes_stay = err == -ECANCELED;
		return err;
	}
	do {
		err = start(tracer, tracee, image, injected);
	} while (injected_try_again(&patience, err));
	if (!err)
		return 0;
	/* Links of a process before it have sampled it by now: there will be another moment. */
	if (err != -ESTALE && !shortage_is(err))
		stay(tracee, injected, err);
	injected_close(&injected);
	return shortage_is(err) ? err : -ECANCELED;
}

/* --- later --------------------------------------------------------------------------------------------------------------- */

static bool is_due(const struct tracer *tracer, const struct tracee *tracee, u64 now_ns)
{
	const struct image *image = tracee_image(tracer, tracee);

	return image && !tracee->injected && !tracee->probes_stay && !tracee->translated &&
	       now_ns >= tracee->handover_ns && image->heap.alloc_count && now_ns - image->start_ns >= SETTLED_NS;
}

static struct tracee *find_due(const struct tracer *tracer, u64 now_ns)
{
	struct tracee *tracee = tracer->tracees;

	while (tracee && !is_due(tracer, tracee, now_ns))
		tracee = tracee->hh.next;
	return tracee;
}

/* It may have got another allocator's file since they were loaded. */
static bool has_others(const struct tracer *tracer, const struct image *image, const struct injected *injected)
{
	const struct binary *file;
	u32 count = 0;

	for (file = binaries_files(tracer->binaries); file; file = file->next)
		count += file->plan && address_map_has(image->mappings, file->elf);
	for (const struct injected_file *has = injected->files; has; has = has->next)
		count--;
	return count;
}

/* Once all is known that has happened up to now. -ESRCH: there is no such image any longer. */
static int start_drained(struct tracer *tracer, pid_t pid, u32 number, struct injected *injected,
			 bool (*drain)(struct tracer *tracer))
{
	struct image *image;
	struct tracee *tracee;

	drain(tracer);
	tracee = tracee_find(tracer, pid);
	image = tracee ? tracee_image(tracer, tracee) : NULL;
	if (!image || image->number != number || tracee->injected || has_others(tracer, image, injected))
		return -ESRCH;
	return start(tracer, tracee, image, injected);
}

static bool may_pass(int err)
{
	return err == -ESTALE || injection_may_pass(err);
}

static void hand_over(struct tracer *tracer, struct tracee *tracee, bool (*drain)(struct tracer *tracer))
{
	const pid_t pid = tracee->pid;
	const struct image *image = tracee_image(tracer, tracee);
	const u32 number = image->number;
	const bool last = tracee->handovers >= HANDOVERS_MAX;
	struct injected *injected = NULL;
	int err = injected_load_all(tracer, pid, image, last ? INJECTED_LOAD : INJECTED_LOAD_AGAIN, &injected);

	if (err) {
		tracee->probes_stay = err != -EBUSY;
		return;
	}
	err = -ESTALE;
	for (int i = 0; i < MOMENTS && (err == -ESTALE || err == -EAGAIN); i++)
		err = start_drained(tracer, pid, number, injected, drain);
	if (!err)
		return;
	/* It may have ended while the events were taken in. */
	tracee = err == -ESRCH ? NULL : tracee_find(tracer, pid);
	if (tracee && (!may_pass(err) || last))
		stay(tracee, injected, err);
	injected_close(&injected);
}

void handover_look(struct tracer *tracer, bool (*drain)(struct tracer *tracer))
{
	for (int i = 0; i < AT_ONCE && tracer->inject_bytes && !tracer->stopping; i++) {
		u64 now_ns = clock_now_ns();
		struct tracee *tracee = find_due(tracer, now_ns);

		if (!tracee)
			return;
		tracee->handovers++;
		tracee->handover_ns = now_ns + AGAIN_NS;
		hand_over(tracer, tracee, drain);
	}
}
