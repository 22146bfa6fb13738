/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the slow paths decide; entry.S calls these, and does what they say. */
#include "include/config.h"
#include "inline/blob/frame.h"
#include "inline/blob/image.h"
#include "inline/blob/objects.h"
#include "inline/blob/slot.h"

#pragma GCC visibility push(hidden)
u32 slow_alloc(struct frame *frame);
u32 slow_free(const struct frame *frame);
u32 slow_moving(struct frame *frame);
void slow_sampled(struct frame *frame);
u64 slow_moved(struct frame *frame);
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

static u64 argument(const struct frame *frame)
{
	return frame->argument[frame->function->pointer - 1];
}

static u32 sampled(struct frame *frame)
{
	if (frame->function->kind == CALL_POSIX_MEMALIGN)
		frame->third = argument(frame);
	return frame->function->nothrow ? TURN_NOTHROW : TURN_SAMPLED;
}

/* A string's size is known when it has been made: then the call is drawn, by itself. */
u32 slow_alloc(struct frame *frame)
{
	if (frame->function->kind == CALL_DUPLICATE)
		return TURN_SAMPLED;
	struct sampler_slot *slot = (struct sampler_slot *)(uintptr_t)frame->third;

	return wanted(frame, slot_crossed(slot, frame->size)) ? sampled(frame) : TURN_PASS;
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
	u64 old = argument(frame);

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
static u64 object_of(const struct frame *frame)
{
	if (frame->function->kind != CALL_POSIX_MEMALIGN)
		return frame->rax;
	return (u32)frame->rax ? 0 : *(const u64 *)(uintptr_t)frame->third;
}

static u64 string_size(const char *string)
{
	u64 size = 1;

	while (string[size - 1])
		size++;
	return size;
}

/* Whether a string was worth a sample. */
static u64 duplicate_of(struct frame *frame)
{
	if (!frame->rax)
		return 0;
	frame->size = string_size((const char *)(uintptr_t)frame->rax);
	return wanted(frame, slot_hit(slot_own(), frame->size)) ? frame->rax : 0;
}

static void born(struct frame *frame, u64 object)
{
	frame->object = object;
	frame->untold = object && !objects_add(object);
}

void slow_sampled(struct frame *frame)
{
	born(frame, frame->function->kind == CALL_DUPLICATE ? duplicate_of(frame) : object_of(frame));
}

/* Whether the old object is gone. NULL for size 0 is no failure: it has been freed. */
u64 slow_moved(struct frame *frame)
{
	bool gone = frame->rax || !frame->size;

	objects_end_move(frame->third, gone);
	born(frame, frame->rax && wanted(frame, slot_hit(slot_own(), frame->size)) ? frame->rax : 0);
	return gone;
}
