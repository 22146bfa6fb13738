/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs, recorder and accounts together, as they are built, over the stub's kernel: a model of a process with
 * threads calls its allocator at random while ring, live map and stash are far too small. The model knows what is
 * really allocated; the counters tell it which samples were given up. Afterwards the ledger must balance to the object,
 * and what the recorder holds to be in use must be exactly what the model does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "bpf_stub.h"

/* Both sides have a function of this name. */
#define heap_revive kernel_heap_revive
#include "../../bpf/alloc.bpf.c"
#undef heap_revive
#include "../../bpf/process.bpf.c"

#include "../../user/account.h"
#include "../../user/ledger.h"
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

/* --- the maps, as kernel.c shows them to user space
 * ------------------------------------------------------------------------ */

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

void kernel_forget_object(struct kernel *kernel, u32 process, u64 addr)
{
	struct live_key key = live_key(process, addr);

	(void)kernel;
	bpf_map_delete_elem(&live, &key);
}

void kernel_forget_stack(struct kernel *kernel, u64 hash)
{
	(void)kernel;
	bpf_map_delete_elem(&stacks_sent, &hash);
}

/* --- small parts
 * ------------------------------------------------------------------------------------------------------------- */

static u32 chance(u32 below)
{
	u64 z = model.chance += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (u32)((z ^ z >> 31) >> 32) % below;
}

static u32 image(void)
{
	u32 number = SCOPE;

	return ((struct scope *)bpf_map_lookup_elem(&scopes, &number))->process;
}

/* A counter of the current image, over all CPUs. */
static u64 counted(enum counter counter)
{
	u64 sum = 0;

	for (u32 cpu = 0; cpu < STUB_CPUS_MAX; cpu++)
		sum += ((struct tally *)stub_row(STUB_MAP(&tallies), image() & config.tally_mask, cpu))->count[counter];
	return sum;
}

/* User space knows what the new image has mapped. */
static void publish_mappings(void)
{
	u32 number = SCOPE;

	table_of_plain_code(bpf_map_lookup_elem(&scopes, &number), image(), CALLER & ~0xffffULL);
}

static u64 block_addr(int block)
{
	return block < 0 ? 0 : FIRST_ADDR + 64 * (u64)block;
}

static int random_block(bool used)
{
	int first = (int)chance(BLOCKS);

	for (int i = 0; i < BLOCKS; i++) {
		int block = (first + i) % BLOCKS;

		if (model.blocks[block].used == used && !model.blocks[block].busy)
			return block;
	}
	return -1;
}

static u64 random_size(void)
{
	static const u64 sizes[] = {0, 1, 16, 64, 100, 4096};

	return sizes[chance(sizeof(sizes) / sizeof(sizes[0]))];
}

/* This thread, on any CPU, is the current task. */
static void become(const struct thread *thread)
{
	stub.pid_tgid = (u64)PID << 32 | (PID + (u32)(thread - model.threads));
	stub.cpu = chance(STUB_CPUS_MAX);
}

/* --- what the recorder is told
 * ------------------------------------------------------------------------------------------------ */

/* Sites and totals must agree after every event. */
static void assert_heap_consistent(const struct heap *heap)
{
	u64 allocated = 0, in_use = 0;

	for (const struct heap_site *site = heap->sites; site; site = site->hh.next) {
		assert_true(site->inuse_count <= site->alloc_count);
		allocated += site->alloc_count;
		in_use += site->inuse_count;
	}
	assert_int_equal(allocated, heap->alloc_count);
	assert_int_equal(in_use, heap->inuse_count);
	assert_int_equal(heap->alloc_count - heap->unfollowed_count - heap->freed_count, heap->inuse_count);
	assert_int_equal(HASH_COUNT(heap->objects), heap->inuse_count);
}

/* An image that has ended leaves nothing in the live map, dead or alive. */
static void assert_nothing_left(u32 process)
{
	stub_for_each(&live, element)
	{
		const struct live_key *key = (const void *)element->data;

		assert_int_not_equal(key->process, process);
	}
}

static void drain(void)
{
	const struct event *event;
	struct process *process;
	size_t size;

	while ((event = stub_ring_next(&size))) {
		assert_int_equal(recorder_event(model.recorder, event, size), 0);
		process = recorder_find(model.recorder, event->process);
		assert_heap_consistent(&process->heap);
		if (event->kind == EVENT_EXEC || event->kind == EVENT_EXIT) {
			account_end(NULL, process);
			assert_nothing_left(process->number);
		}
	}
}

/* --- the process
 * -------------------------------------------------------------------------------------------------------------- */

static u64 call_cookie(enum call_kind kind)
{
	return cookie_make(kind, ARG_DI, ARG_SI, ARG_DX, SCOPE, 0, SITE);
}

static void set_arguments(struct thread *thread)
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
static bool hit_entry(struct thread *thread)
{
	stub.cookie = call_cookie(thread->kind);
	stub.func_ip = thread->regs.ip;
	if (!model.is.every_return_traps)
		return !alloc_session(&thread->regs);
	alloc_enter(&thread->regs);
	return thread->kind != CALL_FREE;
}

static void hit_return(struct thread *thread)
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

static void choose_call(struct thread *thread)
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

static void enter_call(struct thread *thread)
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
static void act(struct thread *thread)
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

static void leave_call(struct thread *thread)
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

static void step(struct thread *thread)
{
	become(thread);
	if (thread->stage == IDLE)
		enter_call(thread);
	else if (thread->stage == ENTERED)
		act(thread);
	else
		leave_call(thread);
}

/* --- images
 * --------------------------------------------------------------------------------------------------------------------
 */

static struct signal_struct process_signal;
static struct task_struct leader;

static void note_expected(void)
{
	u32 number = image();

	for (u32 i = 0; i < BLOCKS; i++) {
		if (model.blocks[i].followed) {
			model.expected_objects[number]++;
			model.expected_bytes[number] += model.blocks[i].size;
		}
	}
}

/* The event itself must get through: without it nobody could know of the new image. */
static void exec_program(void)
{
	drain();
	note_expected();
	become(&model.threads[0]);
	process_exec(&leader, PID);
	publish_mappings();
	memset(model.blocks, 0, sizeof(model.blocks));
	for (u32 i = 0; i < THREADS; i++)
		model.threads[i].stage = IDLE;
	model.word++;
	drain();
}

static void begin(const struct circumstances *is, u64 seed)
{
	struct scope scope = {.process = 1, .pid = PID};
	u32 number = SCOPE, pid = PID;

	memset(&model, 0, sizeof(model));
	model.is = *is;
	model.chance = seed;
	stub_reset(is->ring_bytes);
	stub.random = ~seed;
	stub.memory = (uintptr_t)&model;
	stub.memory_end = (uintptr_t)(&model + 1);
	config = (struct config){
		.sample_bytes = is->sample_bytes,
		.ring_half = is->ring_bytes / 2,
		.tally_mask = TALLIES_MIN - 1,
		.alloc_only = is->alloc_only,
	};
	next_process = 1;
	stub_limit(&live, is->live_max);
	stub_limit(&stashes, is->stash_max);
	stub_limit(&stacks_sent, is->stacks_max);
	bpf_map_update_elem(&scopes, &number, &scope, BPF_ANY);
	publish_mappings();
	bpf_map_update_elem(&scope_by_pid, &pid, &number, BPF_ANY);
	process_signal.live.counter = THREADS;
	leader = (struct task_struct){.pid = PID, .tgid = PID, .group_leader = &leader, .signal = &process_signal};
	model.recorder = recorder_new(&(struct recorder_options){
		.sample_bytes = is->sample_bytes,
		.alloc_only = is->alloc_only,
	});
	assert_int_equal(recorder_begin(model.recorder, 1, PID, SCOPE, 1, NULL), 0);
}

static int stop_image(struct process *process, void *arg)
{
	(void)arg;
	if (!process->ended)
		account_stop(NULL, process, stub.now_ns);
	return 0;
}

/* As the tracer stops: no new hits, some calls still return, everything is taken in, accounts are settled. */
static void end(void)
{
	u32 number = SCOPE;

	for (u32 i = 0; i < THREADS; i++) {
		become(&model.threads[i]);
		if (model.threads[i].stage == ENTERED)
			act(&model.threads[i]);
		if (model.threads[i].stage == ACTED && chance(2))
			leave_call(&model.threads[i]);
	}
	note_expected();
	((struct scope *)bpf_map_lookup_elem(&scopes, &number))->process = 0;
	drain();
	recorder_for_each(model.recorder, stop_image, NULL);
	account_pending(NULL, model.recorder);
}

static u64 bytes_in_use(const struct heap *heap)
{
	u64 bytes = 0;

	for (const struct heap_site *site = heap->sites; site; site = site->hh.next)
		bytes += site->inuse_count * site->key.size;
	return bytes;
}

static u64 ledger_sum[COUNTER_MAX];

static int check_image(struct process *process, void *arg)
{
	(void)arg;
	process_balance(process);
	assert_int_equal(ledger_missing(process->ledger), 0);
	assert_int_equal(process->ledger[COUNTER_EVENT_LOST], 0);
	assert_heap_consistent(&process->heap);
	if (!model.is.unseen_percent) {
		assert_int_equal(process->heap.inuse_count, model.expected_objects[process->number]);
		assert_int_equal(bytes_in_use(&process->heap), model.expected_bytes[process->number]);
	}
	for (u32 i = 0; i < COUNTER_MAX; i++)
		ledger_sum[i] += process->ledger[i];
	return 0;
}

/* RUNS runs of STEPS steps each; the ledgers of all in ledger_sum. */
#define RUNS  60
#define STEPS 3000

static void simulate(const struct circumstances *is)
{
	memset(ledger_sum, 0, sizeof(ledger_sum));
	for (u32 run = 0; run < RUNS; run++) {
		begin(is, 1000 + run);
		for (u32 n = 0; n < STEPS; n++) {
			step(&model.threads[chance(THREADS)]);
			if (chance(100) < is->drain_percent)
				drain();
			if (chance(1000) < is->exec_permille && image() < IMAGES_MAX - 1)
				exec_program();
		}
		end();
		recorder_for_each(model.recorder, check_image, NULL);
		recorder_free(model.recorder);
	}
	stub_reset(0);
}

/* --- tests
 * -----------------------------------------------------------------------------------------------------------------------
 */

static const struct circumstances roomy = {
	.sample_bytes = 1,
	.ring_bytes = 1 << 20,
	.live_max = 1000,
	.stash_max = 1000,
	.stacks_max = 1000,
	.drain_percent = 5,
};

static void test_ledger_room_for_everything_loses_nothing(void **state)
{
	(void)state;
	simulate(&roomy);
	assert_true(ledger_sum[COUNTER_FREED] > 10000 && ledger_sum[COUNTER_LIVE] > 100 &&
		    ledger_sum[COUNTER_FAILED] > 100);
	for (u32 i = 0; i < COUNTER_MAX; i++)
		assert_false(ledger_is_loss(i) && ledger_sum[i]);
	assert_int_equal(ledger_sum[COUNTER_FREE_UNKNOWN], 0);
	assert_int_equal(ledger_sum[COUNTER_FREE_DEFERRED], 0);
}

static void test_ledger_tiny_ring_balances_and_in_use_is_right(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	for (is.ring_bytes = 64; is.ring_bytes <= 2048; is.ring_bytes *= 2) {
		simulate(&is);
		assert_true(ledger_sum[COUNTER_LOST_RING] > 0);
		assert_true(is.ring_bytes < 128 || ledger_sum[COUNTER_FREE_DEFERRED] > 0);
	}
}

static void test_ledger_tiny_live_map_balances_and_in_use_is_right(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	for (is.live_max = 0; is.live_max <= 16; is.live_max += 4) {
		simulate(&is);
		assert_true(ledger_sum[COUNTER_REFUSED] > 0);
	}
}

static void test_ledger_tiny_stash_balances_and_in_use_is_right(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	for (is.stash_max = 0; is.stash_max < THREADS; is.stash_max++) {
		simulate(&is);
		assert_true(ledger_sum[COUNTER_LOST_STASH] > 0);
	}
}

static void test_ledger_everything_tiny_balances_and_in_use_is_right(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	is.ring_bytes = 512;
	is.live_max = 10;
	is.stash_max = 3;
	is.stacks_max = 2;
	is.exec_permille = 5;
	simulate(&is);
	assert_true(ledger_sum[COUNTER_LOST_RING] && ledger_sum[COUNTER_REFUSED] && ledger_sum[COUNTER_LOST_STASH]);
	assert_true(ledger_sum[COUNTER_REVIVE_LOST] && ledger_sum[COUNTER_STACK_RESENT] && ledger_sum[COUNTER_ENDED]);
	assert_true(ledger_sum[COUNTER_FREE_DEFERRED] && ledger_sum[COUNTER_STACK_LOST_RING]);
}

static void test_ledger_execs_with_calls_under_way_balance_per_image(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	is.exec_permille = 15;
	simulate(&is);
	assert_true(ledger_sum[COUNTER_ENDED] > 1000 && ledger_sum[COUNTER_RETURN_MISSED] > 100);
}

static void test_ledger_abandoned_calls_balance_and_in_use_is_right(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	is.abandons = true;
	is.ring_bytes = 1024;
	simulate(&is);
	assert_true(ledger_sum[COUNTER_RETURN_MISSED] > 100);
}

static void test_ledger_sampled_balances_and_in_use_is_right(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	is.sample_bytes = 64;
	is.ring_bytes = 512;
	is.live_max = 12;
	is.drain_percent = 20;
	simulate(&is);
	assert_true(ledger_sum[COUNTER_SAMPLED] < ledger_sum[COUNTER_HITS_ALLOC]);
	assert_true(ledger_sum[COUNTER_LOST_RING] && ledger_sum[COUNTER_REFUSED]);
}

static void test_ledger_rung_where_every_return_traps_balances_alike(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	is.every_return_traps = true;
	is.sample_bytes = 64;
	is.ring_bytes = 512;
	is.live_max = 12;
	simulate(&is);
	assert_true(ledger_sum[COUNTER_LOST_RING] && ledger_sum[COUNTER_REFUSED]);
}

/* What no probe sees cannot be right in use, but nothing may be counted twice or vanish. */
static void test_ledger_unseen_frees_balance(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	is.unseen_percent = 20;
	simulate(&is);
	assert_true(ledger_sum[COUNTER_FREE_UNSEEN] > 100);
	is.ring_bytes = 512;
	is.live_max = 20;
	simulate(&is);
	assert_true(ledger_sum[COUNTER_FREE_UNSEEN] > 100);
}

static void test_ledger_alloc_only_is_entry_only(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	is.alloc_only = true;
	is.ring_bytes = 2048;
	simulate(&is);
	assert_true(ledger_sum[COUNTER_ENTRY_ONLY] > 1000 && ledger_sum[COUNTER_LOST_RING] > 0);
	assert_int_equal(ledger_sum[COUNTER_FREED] + ledger_sum[COUNTER_LIVE] + ledger_sum[COUNTER_ENDED], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ledger_room_for_everything_loses_nothing),
		cmocka_unit_test(test_ledger_tiny_ring_balances_and_in_use_is_right),
		cmocka_unit_test(test_ledger_tiny_live_map_balances_and_in_use_is_right),
		cmocka_unit_test(test_ledger_tiny_stash_balances_and_in_use_is_right),
		cmocka_unit_test(test_ledger_everything_tiny_balances_and_in_use_is_right),
		cmocka_unit_test(test_ledger_execs_with_calls_under_way_balance_per_image),
		cmocka_unit_test(test_ledger_abandoned_calls_balance_and_in_use_is_right),
		cmocka_unit_test(test_ledger_sampled_balances_and_in_use_is_right),
		cmocka_unit_test(test_ledger_rung_where_every_return_traps_balances_alike),
		cmocka_unit_test(test_ledger_unseen_frees_balance),
		cmocka_unit_test(test_ledger_alloc_only_is_entry_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
