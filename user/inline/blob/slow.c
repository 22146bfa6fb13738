/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the slow paths decide; entry.S calls these, and does what they say. */
#include "include/config.h"
#include "inline/blob/frame.h"
#include "inline/blob/image.h"
#include "inline/blob/objects.h"
#include "inline/blob/slot.h"

#pragma GCC visibility push(hidden)
u32 slow_alloc(const struct frame *frame);
u32 slow_free(const struct frame *frame);
u32 slow_moving(struct frame *frame);
u64 slow_sampled(struct frame *frame, u64 result);
u64 slow_moved(struct frame *frame, u64 result);
#pragma GCC visibility pop

/* The allocator's own call: the one that it serves is counted. */
static bool nested(const struct frame *frame)
{
	s64 caller = (s64)(frame->caller - (u64)(uintptr_t)&sampler_config);

	for (u32 i = 0; i < sampler_config.range_count; i++)
		if (caller >= sampler_config.ranges[i].start && caller < sampler_config.ranges[i].end)
			return true;
	return false;
}

/* The count is drawn in any case: it was negative. */
static bool wanted(const struct frame *frame, bool drawn)
{
	return drawn && __atomic_load_n(&sampler_config.sample_bytes, __ATOMIC_RELAXED) && !nested(frame);
}

/* A string's size is known when it has been made: then the call is drawn, by itself. */
u32 slow_alloc(const struct frame *frame)
{
	if (frame->function->kind == CALL_DUPLICATE)
		return TURN_SAMPLED;
	struct sampler_slot *slot = (struct sampler_slot *)(uintptr_t)frame->third;

	return wanted(frame, slot_crossed(slot, frame->size)) ? TURN_SAMPLED : TURN_PASS;
}

u32 slow_free(const struct frame *frame)
{
	return frame->size && objects_remove(frame->size) ? TURN_FREED : TURN_PASS;
}

/* realloc of size 0, as glibc has it. */
static u32 freed_by_realloc(struct frame *frame, u64 old)
{
	frame->size = old;
	return slow_free(frame);
}

u32 slow_moving(struct frame *frame)
{
	u64 old = frame->argument[frame->function->pointer - 1];

	if (frame->function->kind == CALL_REALLOC && !old)
		return TURN_PASS;
	if (frame->function->kind == CALL_REALLOC && !frame->size)
		return freed_by_realloc(frame, old);
	if (old && objects_begin_move(old)) {
		frame->third = old;
		return TURN_MOVED;
	}
	return wanted(frame, slot_hit(slot_own(), frame->size)) ? TURN_SAMPLED : TURN_PASS;
}

/* What the allocation has led to; 0 if it has failed. */
static u64 object_of(const struct frame *frame, u64 result)
{
	if (frame->function->kind != CALL_POSIX_MEMALIGN)
		return result;
	return (u32)result ? 0 : *(const u64 *)(uintptr_t)frame->argument[frame->function->pointer - 1];
}

static u64 string_size(const char *string)
{
	u64 size = 1;

	while (string[size - 1])
		size++;
	return size;
}

/* Whether a string was worth a sample. */
static u64 duplicate_of(struct frame *frame, u64 result)
{
	if (!result)
		return 0;
	frame->size = string_size((const char *)(uintptr_t)result);
	return wanted(frame, slot_hit(slot_own(), frame->size)) ? result : 0;
}

static void born(struct frame *frame, u64 object)
{
	frame->born.object = object;
	frame->born.size = frame->size;
	frame->born.function = (u64)((intptr_t)frame->function + frame->function->function);
	frame->born.untold = object && !objects_add(object);
}

/* Both return what the original has returned. */
u64 slow_sampled(struct frame *frame, u64 result)
{
	born(frame, frame->function->kind == CALL_DUPLICATE ? duplicate_of(frame, result) : object_of(frame, result));
	return result;
}

/* NULL for size 0 is no failure: the object has been freed. */
u64 slow_moved(struct frame *frame, u64 result)
{
	bool gone = result || !frame->size;

	objects_end_move(frame->third, gone);
	born(frame, result && wanted(frame, slot_hit(slot_own(), frame->size)) ? result : 0);
	frame->born.gone = gone;
	return result;
}
