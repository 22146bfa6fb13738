/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Programs, recorder and accounts together, as they are built, over the stub's kernel, and a model of a process with
 * threads that calls its allocator at random. The model knows what is really allocated; the counters say which
 * samples were lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

/* Both sides have a function of this name. */
#define heap_revive kernel_heap_revive
#include "bpf/alloc.bpf.c"
#undef heap_revive
#include "bpf/process.bpf.c"

#include "heap/apply_event.h"
#include "trace/settle.h"
#include "profile/ledger.h"
#include "unit/profile/chance.h"
#include "table.h"

#define BLOCKS	    48
#define THREADS	    4
#define IMAGES_MAX  64
#define SCOPE	    1
#define PID	    0x7ffffff0 /* no such process: /proc has nothing to say */
#define STACK_WORDS 64
#define FIRST_ADDR  0x10000000
#define SITE	    0x1009
#define BASE	    0x7f0000000000
#define CALLER	    0x401500

struct block {
	bool used, busy; /* busy: in some thread's realloc */
	bool followed;	 /* heaptap has it, and will see its end */
	u64 size;
};

enum stage {
	IDLE,
	ENTERED,
	ACTED
};

struct thread {
	enum stage stage;
	enum call_kind kind;
	bool leg, sampled, old_followed;
	u64 size;
	int old, result; /* blocks, -1: none */
	struct pt_regs regs;
	u64 out_pointer, stack[STACK_WORDS + 3]; /* the word in use, its callers */
};

/* One run's circumstances. */
struct circumstances {
	u64 sample_bytes;
	size_t ring_bytes;
	u32 live_max, stash_max, stacks_max;
	u32 drain_percent;  /* chance of a drain after a step */
	u32 unseen_percent; /* frees that no probe sees */
	u32 exec_permille;
	bool alloc_only, abandons, every_return_traps;
};

static struct {
	struct circumstances is;
	struct block blocks[BLOCKS];
	struct thread threads[THREADS];
	struct recorder *recorder;
	u64 expected_objects[IMAGES_MAX], expected_bytes[IMAGES_MAX];
	u32 word;   /* of the stack in use: another for every image, as a new program's addresses are */
	u64 chance; /* the model's own random state: the programs draw from the stub's */
} model;

int kernel_take_tally(struct kernel *kernel, u32 process, u64 ledger[COUNTER_MAX])
{
	(void)kernel;
	for (u32 cpu = 0; cpu < STUB_CPUS_MAX; cpu++) {
		struct tally *tally = stub_row(STUB_MAP(&tallies), process & config.tally_mask, cpu);

		for (u32 i = 0; i < COUNTER_KERNEL_MAX; i++)
			ledger[i] += tally->count[i];
		memset(tally, 0, sizeof(*tally));
	}
	return 0;
}

int kernel_for_each_unsent(struct kernel *kernel, void (*each)(void *arg, u32 process, u64 object), void *arg)
{
	struct stub_element *element, *next;

	(void)kernel;
	HASH_ITER (hh, STUB_MAP(&live)->elements, element, next) {
		const struct live_key *key = (const void *)element->data;
		u64 word = *(u64 *)stub_value(&live, element);

		if (word & LIVE_STATE_MASK)
			each(arg, key->process, word >> LIVE_STATE_BITS);
	}
	return 0;
}

int kernel_for_each_pending(struct kernel *kernel, void (*each)(void *arg, u32 process), void *arg)
{
	(void)kernel;
	stub_for_each(&stashes, element)
	{
		const struct stash *stash = stub_value(&stashes, element);

		if (stash->sampled)
			each(arg, stash->process);
	}
	return 0;
}

u64 kernel_take_pending(struct kernel *kernel, u32 process)
{
	struct stub_element *element, *next;
	u64 taken = 0;

	(void)kernel;
	HASH_ITER (hh, STUB_MAP(&stashes)->elements, element, next) {
		const struct stash *stash = stub_value(&stashes, element);

		if (stash->process != process)
			continue;
		taken += stash->sampled;
		bpf_map_delete_elem(&stashes, element->data);
	}
	return taken;
}

int kernel_drop_pending(struct kernel *kernel, void (*each)(void *arg, u32 process), void *arg)
{
	struct stub_element *element, *next;
	int err = kernel_for_each_pending(kernel, each, arg);

	HASH_ITER (hh, STUB_MAP(&stashes)->elements, element, next)
		bpf_map_delete_elem(&stashes, element->data);
	return err;
}

void kernel_give_process(struct kernel *kernel, u32 process)
{
	u32 next = process + SCOPES_MIN;

	(void)kernel;
	bpf_map_push_elem(&free_processes, &next, BPF_ANY);
}

void kernel_forget_object(struct kernel *kernel, u32 process, u64 addr)
{
	struct live_key key = live_key(process, addr);

	(void)kernel;
	bpf_map_delete_elem(&live, &key);
}

void kernel_forget_stacks(struct kernel *kernel, const u64 *hashes, u32 count)
{
	(void)kernel;
	for (u32 i = 0; i < count; i++)
		bpf_map_delete_elem(&stacks_sent, &hashes[i]);
}

static inline u32 chance(u32 below)
{
	return chance_below(&model.chance, below);
}

static inline u32 image(void)
{
	u32 number = SCOPE;

	return ((struct scope *)bpf_map_lookup_elem(&scopes, &number))->process;
}

/* A counter of the current image, over all CPUs. */
static inline u64 counted(enum counter counter)
{
	u64 sum = 0;

	for (u32 cpu = 0; cpu < STUB_CPUS_MAX; cpu++)
		sum += ((struct tally *)stub_row(STUB_MAP(&tallies), image() & config.tally_mask, cpu))->count[counter];
	return sum;
}

/* User space knows what the new image has mapped. */
static inline void publish_mappings(void)
{
	u32 number = SCOPE;

	table_of_plain_code(bpf_map_lookup_elem(&scopes, &number), image(), CALLER & ~0xffffULL);
}

static inline u64 block_addr(int block)
{
	return block < 0 ? 0 : FIRST_ADDR + 64 * (u64)block;
}

static inline int random_block(bool used)
{
	int first = (int)chance(BLOCKS);

	for (int i = 0; i < BLOCKS; i++) {
		int block = (first + i) % BLOCKS;

		if (model.blocks[block].used == used && !model.blocks[block].busy)
			return block;
	}
	return -1;
}

static inline u64 random_size(void)
{
	static const u64 sizes[] = {0, 1, 16, 64, 100, 4096};

	return sizes[chance(sizeof(sizes) / sizeof(sizes[0]))];
}

/* This thread, on any CPU, is the current task. */
static inline void become(const struct thread *thread)
{
	stub.pid_tgid = (u64)PID << 32 | (PID + (u32)(thread - model.threads));
	stub.cpu = chance(STUB_CPUS_MAX);
}

static inline u64 call_cookie(enum call_kind kind)
{
	return cookie_make(kind, ARG_DI, kind == CALL_POSIX_MEMALIGN ? ARG_DX : ARG_SI, SCOPE, 0, SITE);
}

static inline void set_arguments(struct thread *thread)
{
	struct pt_regs *regs = &thread->regs;

	*regs = (struct pt_regs){.ip = BASE + SITE};
	thread->stack[model.word] = CALLER;
	regs->sp = (u64)(uintptr_t)&thread->stack[model.word];
	regs->di = block_addr(thread->old);
	regs->si = thread->size;
	if (thread->kind == CALL_MALLOC)
		regs->di = thread->size;
	if (thread->kind == CALL_CALLOC)
		regs->di = 1;
	if (thread->kind == CALL_ALIGNED)
		regs->di = 64;
	if (thread->kind == CALL_POSIX_MEMALIGN) {
		regs->di = (u64)(uintptr_t)&thread->out_pointer;
		regs->dx = thread->size;
	}
}

/* True when the return leg will run. */
static inline bool hit_entry(struct thread *thread)
{
	stub.cookie = call_cookie(thread->kind);
	stub.func_ip = thread->regs.ip;
	if (!model.is.every_return_traps)
		return !alloc_session(&thread->regs);
	alloc_enter(&thread->regs);
	return thread->kind != CALL_FREE;
}

static inline void hit_return(struct thread *thread)
{
	u64 *callers = &thread->stack[model.word + 1];
	u32 depth = chance(3);

	thread->regs.ip = CALLER + 16 * chance(3);
	thread->regs.sp += sizeof(u64);
	for (u32 i = 0; i < depth; i++)
		callers[i] = CALLER + 16 * chance(3) + 256 * (i + 1);
	callers[depth] = 0;
	thread->regs.ax = block_addr(thread->result);
	if (thread->kind == CALL_POSIX_MEMALIGN) {
		thread->regs.ax = thread->result < 0 ? 12 : 0;
		thread->out_pointer = block_addr(thread->result);
	}
	stub.cookie = call_cookie(thread->kind);
	stub.func_ip = BASE + SITE;
	if (model.is.every_return_traps)
		alloc_return(&thread->regs);
	else
		alloc_session(&thread->regs);
}

static inline void choose_call(struct thread *thread)
{
	static const enum call_kind kinds[] = {CALL_MALLOC,  CALL_MALLOC,	  CALL_CALLOC, CALL_ALIGNED,
					       CALL_REALLOC, CALL_POSIX_MEMALIGN, CALL_REALLOC};

	thread->old = thread->result = -1;
	thread->size = random_size();
	thread->kind = chance(100) < 45 ? CALL_FREE : kinds[chance(sizeof(kinds) / sizeof(kinds[0]))];
	if (thread->kind == CALL_FREE || thread->kind == CALL_REALLOC)
		thread->old = random_block(true);
	if (thread->kind == CALL_REALLOC && thread->old < 0)
		thread->kind = CALL_MALLOC;
}

static inline void enter_call(struct thread *thread)
{
	u64 samples, lost;
	bool probed;

	choose_call(thread);
	/* --alloc-only has no probe on free. */
	probed = thread->kind != CALL_FREE || (!model.is.alloc_only && chance(100) >= model.is.unseen_percent);
	set_arguments(thread);
	samples = counted(COUNTER_SAMPLED);
	lost = counted(COUNTER_LOST_STASH);
	thread->leg = probed && hit_entry(thread);
	thread->sampled = counted(COUNTER_SAMPLED) > samples;
	if (counted(COUNTER_LOST_STASH) > lost)
		thread->leg = thread->sampled = false;
	thread->old_followed = false;
	if (thread->old >= 0) {
		thread->old_followed = model.blocks[thread->old].followed;
		model.blocks[thread->old].busy = true;
		model.blocks[thread->old].followed = thread->old_followed && !probed;
	}
	thread->stage = ENTERED;
}

/* What the allocator itself does between entry and return. */
static inline void act(struct thread *thread)
{
	bool shrinks_away = thread->kind == CALL_REALLOC && !thread->size;

	if (thread->kind != CALL_FREE && !shrinks_away && chance(100) >= 10) {
		thread->result = thread->kind == CALL_REALLOC && chance(2) ? thread->old : random_block(false);
		if (thread->result >= 0)
			model.blocks[thread->result] = (struct block){.used = true, .busy = true, .size = thread->size};
	}
	/* An old block that moved is free for others from here on, before our return. */
	if (thread->old >= 0 && thread->old != thread->result &&
	    (thread->kind == CALL_FREE || shrinks_away || thread->result >= 0)) {
		model.blocks[thread->old].used = false;
		model.blocks[thread->old].busy = false;
	}
	thread->stage = ACTED;
}

static inline void leave_call(struct thread *thread)
{
	bool abandoned = model.is.abandons && thread->leg && !chance(40);
	u64 lost = counted(COUNTER_LOST_RING) + counted(COUNTER_REFUSED), revive_lost = counted(COUNTER_REVIVE_LOST);
	bool failed_realloc = thread->kind == CALL_REALLOC && thread->size && thread->result < 0;

	if (thread->leg && !abandoned)
		hit_return(thread);
	lost = counted(COUNTER_LOST_RING) + counted(COUNTER_REFUSED) - lost;
	revive_lost = counted(COUNTER_REVIVE_LOST) - revive_lost;
	if (thread->result >= 0) {
		model.blocks[thread->result].busy = false;
		model.blocks[thread->result].followed =
			thread->sampled && thread->leg && !abandoned && !lost && !model.is.alloc_only;
	} else if (failed_realloc) {
		model.blocks[thread->old].busy = false;
		model.blocks[thread->old].followed = thread->old_followed && thread->leg && !abandoned && !revive_lost;
	}
	thread->stage = IDLE;
}

static inline void step(struct thread *thread)
{
	become(thread);
	if (thread->stage == IDLE)
		enter_call(thread);
	else if (thread->stage == ENTERED)
		act(thread);
	else
		leave_call(thread);
}
