/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/inline/blob/: threads and signal handlers that allocate at once, in a small heap whose addresses are soon used again. Each
 * sample is told once, and its end is told once, before the address is anybody else's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "inline/blob/seed.h"

#include "sampler_process.h"

#define THREADS 4
#define CALLS	200000
#define BLOCKS	1024
#define HELD	64 /* objects that a thread has at a time */

/* What is known of a block's object. */
enum sample {
	NOT_SAMPLED,
	SAMPLED,
	UNTOLD,
	IN_MOVE
};
static u8 taken[BLOCKS], samples[BLOCKS];
static u64 wrong, count_told[SAMPLER_SITES], untold;

static u32 block_of(u64 object)
{
	return (u32)(object >> 4) - 1;
}

/* Change what is known of an object from one state to another; else the pairing is wrong. */
static void change(u64 object, u8 from, u8 to)
{
	if (block_of(object) >= BLOCKS || !__atomic_compare_exchange_n(&samples[block_of(object)], &from, to, false,
								       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
}

static void on_trap(int number, siginfo_t *info, void *argument)
{
	const greg_t *registers = ((ucontext_t *)argument)->uc_mcontext.gregs;
	u64 object = (u64)registers[REG_RDI];
	u32 site = process_site(argument);

	(void)number;
	(void)info;
	if (site == SAMPLER_SITES)
		abort();
	__atomic_fetch_add(&count_told[site], 1, __ATOMIC_SEQ_CST);
	if (site == SAMPLER_BORN) {
		__atomic_fetch_add(&untold, (u64)registers[REG_RCX], __ATOMIC_SEQ_CST);
		change(object, NOT_SAMPLED, registers[REG_RCX] ? UNTOLD : SAMPLED);
	}
	if (site == SAMPLER_FREED)
		change(object, SAMPLED, NOT_SAMPLED);
	if (site == SAMPLER_MOVED)
		change(object, SAMPLED, IN_MOVE);
	/* If it has been moved, the block may be another object's by now. */
	if (site == SAMPLER_SETTLED && !registers[REG_RSI])
		change(object, IN_MOVE, SAMPLED);
}

/* An allocator without locks, which a signal handler may call; what was freed last is often the next to be taken. */
__attribute__((visibility("hidden"))) u64 original_malloc(u64 size)
{
	(void)size;
	for (u32 block = 0; block < BLOCKS; block++)
		if (!__atomic_exchange_n(&taken[block], 1, __ATOMIC_SEQ_CST))
			return ((u64)block + 1) << 4;
	return 0;
}

/* What is left of a sample here is one whose end was not told. */
static void give(u64 object, u8 left)
{
	u8 sample = __atomic_exchange_n(&samples[block_of(object)], NOT_SAMPLED, __ATOMIC_SEQ_CST);

	if (sample != NOT_SAMPLED && sample != left)
		__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_exchange_n(&taken[block_of(object)], 0, __ATOMIC_SEQ_CST))
		__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
}

__attribute__((visibility("hidden"))) void original_free(u64 object)
{
	give(object, UNTOLD);
}

/* It fails for some sizes. The old block is given back within, and another thread may have it before this returns. */
__attribute__((visibility("hidden"))) u64 original_realloc(u64 old, u64 size)
{
	u64 object = size % 8 ? original_malloc(size) : 0;
	u8 in_move = __atomic_load_n(&samples[block_of(old)], __ATOMIC_SEQ_CST) == IN_MOVE ? IN_MOVE : UNTOLD;

	if (object)
		give(old, in_move);
	if (size % 16 == 1)
		sched_yield();
	return object;
}

PROCESS_ALLOC(malloc, 1, 0, "%rdi");
PROCESS_REALLOC(realloc, 7);
PROCESS_FREE(free, 1, "%rdi");
u64 sampled_malloc(u64 size);
u64 sampled_realloc(u64 old, u64 size);
void sampled_free(u64 object);

/* One call of a random kind and size, on one of `objects`; other threads may take and leave objects there too. */
static void step(u64 *objects, u64 random)
{
	u64 *at = &objects[random % HELD], object = __atomic_exchange_n(at, 0, __ATOMIC_SEQ_CST), moved;

	if (!object) {
		object = sampled_malloc(random >> 54);
	} else if (random & 1 << 20) {
		sampled_free(object);
		object = 0;
	} else {
		moved = sampled_realloc(object, random >> 54 | 1 << 8);
		object = moved ? moved : object;
	}
	object = __atomic_exchange_n(at, object, __ATOMIC_SEQ_CST);
	if (object)
		sampled_free(object);
}

static u64 shared_objects[HELD], handler_objects[HELD], handler_calls;

static void on_user(int number)
{
	(void)number;
	step(handler_objects, splitmix64(__atomic_add_fetch(&handler_calls, SPLITMIX_STEP, __ATOMIC_SEQ_CST)));
}

static void *work(void *argument)
{
	u64 seed = (uintptr_t)argument, own[HELD] = {0};

	for (u64 i = 0; i < CALLS; i++) {
		u64 random = splitmix64(seed + i * SPLITMIX_STEP);

		step(random & 1 << 21 ? own : shared_objects, random);
	}
	for (u32 i = 0; i < HELD; i++)
		if (own[i])
			sampled_free(own[i]);
	return NULL;
}

static void free_all(u64 *objects)
{
	for (u32 i = 0; i < HELD; i++) {
		if (objects[i])
			sampled_free(objects[i]);
		objects[i] = 0;
	}
}

static void assert_paired(void)
{
	const u8 *filter = process_filter;

	assert_int_equal(wrong, 0);
	assert_true(count_told[SAMPLER_BORN] > CALLS / 100);
	assert_true(count_told[SAMPLER_MOVED] > CALLS / 100);
	assert_int_equal(count_told[SAMPLER_MOVED], count_told[SAMPLER_SETTLED]);
	for (u32 i = 0; i < BLOCKS; i++) {
		assert_int_equal(samples[i], NOT_SAMPLED);
		assert_int_equal(taken[i], 0);
	}
	for (u32 i = 0; i < 1u << process_config->table_bits; i++)
		assert_int_equal(process_table()[i], 0);
	for (u32 i = 0; i < SAMPLER_FILTER; i++)
		assert_int_equal(filter[i], 0);
}

/* `signals`: from the main thread to all others, until they are done. */
static void run(u64 sample_bytes, u32 table_bits, u32 slot_mask, bool signals)
{
	pthread_t threads[THREADS];

	process_begin(sample_bytes, table_bits);
	process_slot_mask = slot_mask;
	process_on_trap(on_trap);
	signal(SIGUSR1, on_user);
	memset(count_told, 0, sizeof(count_told));
	untold = 0;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(i << 32)), 0);
	for (u32 i = 0; signals && i < CALLS / 4; i++)
		pthread_kill(threads[i % THREADS], SIGUSR1);
	for (u32 i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	free_all(shared_objects);
	free_all(handler_objects);
	assert_paired();
	process_end();
}

static void test_pairing_is_exact_with_threads(void **state)
{
	(void)state;
	run(1024, 12, UINT32_MAX, false);
	assert_int_equal(untold, 0);
}

static void test_pairing_is_exact_with_one_slot_for_all(void **state)
{
	(void)state;
	run(1024, 12, 0, false);
}

static void test_pairing_is_exact_in_a_full_table(void **state)
{
	(void)state;
	run(256, 4, UINT32_MAX, false);
	assert_true(untold > 0);
}

static void test_pairing_is_exact_with_signals(void **state)
{
	(void)state;
	run(1024, 12, UINT32_MAX, true);
	assert_true(handler_calls > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairing_is_exact_with_threads),
		cmocka_unit_test(test_pairing_is_exact_with_one_slot_for_all),
		cmocka_unit_test(test_pairing_is_exact_in_a_full_table),
		cmocka_unit_test(test_pairing_is_exact_with_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
