/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model of a process over ring, live map and stash that are far too small. Afterwards the ledger must balance to
 * the object, and the recorder's objects in use must be exactly the model's.
 */
#include "model.h"

/* --- what the recorder gets --- */

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
	struct image *image;
	size_t size;

	while ((event = stub_ring_next(&size))) {
		assert_int_equal(apply_event(model.recorder, event, size), 0);
		image = recorder_find(model.recorder, event->process);
		assert_heap_consistent(&image->heap);
		if (event->kind == EVENT_EXEC || event->kind == EVENT_EXIT) {
			settle_end(NULL, image);
			assert_nothing_left(image->number);
		}
	}
}

/* --- images --- */

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

/* The event itself must get through: without it the new image would be unknown. */
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
		.tally_mask = SCOPES_MIN - 1,
		.alloc_only = is->alloc_only,
	};
	for (u32 process = 2; process < IMAGES_MAX; process++)
		bpf_map_push_elem(&free_processes, &process, BPF_ANY);
	stub_limit(&live, is->live_max);
	stub_limit(&stashes, is->stash_max);
	stub_limit(&stacks_sent, is->stacks_max);
	bpf_map_update_elem(&scopes, &number, &scope, BPF_ANY);
	publish_mappings();
	bpf_map_update_elem(&scope_by_pid, &pid, &number, BPF_ANY);
	process_signal.live.counter = THREADS;
	leader = (struct task_struct){
		.pid = PID, .tgid = PID, .real_parent = &leader, .group_leader = &leader, .signal = &process_signal};
	model.recorder = recorder_new(&(struct recorder_options){
		.sample_bytes = is->sample_bytes,
		.alloc_only = is->alloc_only,
	});
	assert_int_equal(recorder_begin(model.recorder, 1, PID, SCOPE, 1, NULL), 0);
}

static int stop_image(struct image *image, void *arg)
{
	(void)arg;
	if (!image->ended)
		settle_stop(NULL, model.recorder, image, stub.now_ns);
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
	settle_pending(NULL, model.recorder);
}

static u64 bytes_in_use(const struct heap *heap)
{
	u64 bytes = 0;

	for (const struct heap_site *site = heap->sites; site; site = site->hh.next)
		bytes += site->inuse_count * site->key.size;
	return bytes;
}

static u64 ledger_sum[COUNTER_MAX];

static int check_image(struct image *image, void *arg)
{
	(void)arg;
	image_balance(image);
	assert_int_equal(ledger_missing(image->ledger), 0);
	assert_int_equal(image->ledger[COUNTER_EVENT_LOST], 0);
	assert_heap_consistent(&image->heap);
	if (!model.is.unseen_percent) {
		assert_int_equal(image->heap.inuse_count, model.expected_objects[image->number]);
		assert_int_equal(bytes_in_use(&image->heap), model.expected_bytes[image->number]);
	}
	for (u32 i = 0; i < COUNTER_MAX; i++)
		ledger_sum[i] += image->ledger[i];
	return 0;
}

/* RUNS runs of STEPS steps each; the ledgers of all in ledger_sum. The sanitizers, which make a run 17 times as long, see the same code in fewer. */
#ifdef __SANITIZE_ADDRESS__
#define RUNS 15
#else
#define RUNS 60
#endif
#define STEPS	      3000
#define OFTEN(counts) ((u64)(counts)*RUNS / 60)

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

/* --- tests --- */

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
	assert_true(ledger_sum[COUNTER_FREED] > OFTEN(10000) && ledger_sum[COUNTER_LIVE] > OFTEN(100) &&
		    ledger_sum[COUNTER_FAILED] > OFTEN(100));
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
	assert_true(ledger_sum[COUNTER_ENDED] > OFTEN(1000) && ledger_sum[COUNTER_RETURN_MISSED] > OFTEN(100));
}

static void test_ledger_abandoned_calls_balance_and_in_use_is_right(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	is.abandons = true;
	is.ring_bytes = 1024;
	simulate(&is);
	assert_true(ledger_sum[COUNTER_RETURN_MISSED] > OFTEN(100));
}

static void test_ledger_sampled_balances_and_in_use_is_right(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	is.sample_bytes = 64;
	is.ring_bytes = 512;
	is.live_max = 6;
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
	is.live_max = 6;
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
	assert_true(ledger_sum[COUNTER_FREE_UNSEEN] > OFTEN(100));
	is.ring_bytes = 512;
	is.live_max = 20;
	simulate(&is);
	assert_true(ledger_sum[COUNTER_FREE_UNSEEN] > OFTEN(100));
}

static void test_ledger_alloc_only_is_entry_only(void **state)
{
	struct circumstances is = roomy;

	(void)state;
	is.alloc_only = true;
	is.ring_bytes = 1024;
	simulate(&is);
	assert_true(ledger_sum[COUNTER_ENTRY_ONLY] > OFTEN(1000) && ledger_sum[COUNTER_LOST_RING] > 0);
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
