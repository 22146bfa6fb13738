/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that stand between the instructions which a jump is to take the place of, or at a landing that is to go, and those that will
 * return there from a signal handler: they are taken there by single steps.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/injected.h"
#include "system/parked_threads.h"
#include "system/stopped_threads.h"
#include "system/thread_stop.h"

/* Until a thread stands there. */
static void step_to(struct stopped_threads *threads, u64 address)
{
	struct stopped_thread *thread = &threads->threads[0];
	struct thread_stop stop;

	for (int i = 0; i < 1000000 && thread->registers.rip != address; i++) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, thread->tid, NULL, NULL), 0);
		assert_int_equal(thread_stop_wait(thread->tid, threads->until_ns, &stop), 0);
		assert_int_equal(ptrace(PTRACE_GETREGS, thread->tid, NULL, &thread->registers), 0);
	}
}

struct parking {
	struct injected *injected;
	u64 at;	    /* where a thread is taken to */
	int signal; /* that it gets there; 0: none */
};

static int park(struct stopped_threads *threads, void *arg)
{
	const struct parking *parking = arg;
	const struct injection_patch *patch = &parking->injected->patch;

	step_to(threads, parking->at);
	if (threads->threads[0].registers.rip != parking->at)
		return -ENOENT;
	threads->threads[0].signal = parking->signal;
	if (parking->signal)
		return 0;
	if (parked_threads_move(threads, patch, 1) || threads->threads[0].registers.rip != patch->moves[0].to)
		return -EINVAL;
	return pwrite(threads->memory, patch->becomes, sizeof(patch->becomes), (off_t)patch->address) == 5 ? 0 : -EIO;
}

static void test_injection_between_the_instructions(void **state)
{
	static const char *const words[] = {"1", "calls", NULL};
	struct injected injected;
	struct parking parking = {.injected = &injected};

	(void)state;
	injected_start(&injected, words);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	parking.at = injected.page->function + 2;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(stopped_threads_do(injected.target.pid, STOPPED_ALL, DEADLINE_MS * 1000000ull, park,
						    &parking, NULL),
				 0);
		injected_check(&injected);
		assert_int_equal(injected_undo(&injected, INJECTED_TRIES), 0);
		injected_check(&injected);
	}
	injected_release(&injected);
}

static void test_injection_below_a_signal_handler(void **state)
{
	static const char *const words[] = {"1", "calls", NULL};
	struct injected injected;
	struct parking parking = {.injected = &injected, .signal = SIGUSR1};

	(void)state;
	injected_start(&injected, words);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	parking.at = injected.page->function + 2;
	assert_int_equal(
		stopped_threads_do(injected.target.pid, STOPPED_ALL, DEADLINE_MS * 1000000ull, park, &parking, NULL),
		0);
	injected_await_held(&injected);
	assert_int_equal(injected_patch(&injected, 5), -EAGAIN);
	injected.page->release = 1;
	injected_check(&injected);
	assert_int_equal(injected_patch(&injected, INJECTED_TRIES), 0);
	injected_check(&injected);
	injected_release(&injected);
}

/* --- landings ------------------------------------------------------------------------------------------------------------ */

#define REPLACED 10 /* of patient_function: mov %rax, %rbp; it ends 9 bytes behind, where its padding begins */
#define LANDING	 19
#define CODE_AT	 1024

/* A landing, and the short jump to it. What they lead to does what was replaced, and goes back. */
static void make_relay(const struct injected *injected, struct injection_patch ret_patches[2])
{
	u64 function = injected->page->function, code = injected->address + CODE_AT;
	u8 bytes[16] = {0x48, 0x89, 0xc5, 0xe9};
	s32 back = (s32)(function + REPLACED + 3 - (code + 8)), there = (s32)(code - (function + LANDING + 5));

	memcpy(bytes + 4, &back, sizeof(back));
	assert_int_equal(pwrite(injected->file, bytes, sizeof(bytes), CODE_AT), sizeof(bytes));
	ret_patches[0] = (struct injection_patch){
		.address = function + LANDING,
		.size = 5,
		.was = {0x0f, 0x1f, 0x44},
		.becomes = {0xe9},
		.jump_size = 5,
		.landing = true,
	};
	memcpy(ret_patches[0].becomes + 1, &there, sizeof(there));
	memcpy(ret_patches[0].witness, bytes, sizeof(bytes));
	ret_patches[1] = (struct injection_patch){
		.address = function + REPLACED,
		.size = 3,
		.was = {0x48, 0x89, 0xc5},
		.becomes = {0xeb, LANDING - REPLACED - 2},
		.jump_size = 2,
	};
}

/* What comes of undoing it once; a thread that does not stop in time, as beside other work, is no answer. */
static int try_to_undo(const struct injected *injected, const struct injection_patch patches[2])
{
	int err = -ETIMEDOUT;

	for (int i = 0; i < INJECTED_TRIES && (err == -ETIMEDOUT || err == -ETIME); i++)
		err = injection_undo(injected->target.pid, patches, 2, NULL);
	return err;
}

static void patch_relay(const struct injected *injected, const struct injection_patch patches[2])
{
	int err = -EAGAIN;

	for (int i = 0; i < INJECTED_TRIES && err; i++)
		err = injection_patch(injected->target.pid, patches, 2, NULL, NULL);
	assert_int_equal(err, 0);
}

static void undo_relay(const struct injected *injected, const struct injection_patch patches[2])
{
	int err = -EAGAIN;

	for (int i = 0; i < INJECTED_TRIES && err; i++)
		err = injection_undo(injected->target.pid, patches, 2, NULL);
	assert_int_equal(err, 0);
}

static void assert_undone(const struct injected *injected, const u8 before[INJECTION_CODE_MAX])
{
	u8 after[INJECTION_CODE_MAX];

	injected_check(injected);
	injected_function_bytes(injected, after);
	assert_memory_equal(before, after, sizeof(after));
}

struct relay {
	struct injection_patch patches[2];
	struct parking parking;
};

static int undo_below(struct stopped_threads *threads, void *arg)
{
	const struct relay *relay = arg;

	step_to(threads, relay->parking.at);
	if (threads->threads[0].registers.rip != relay->parking.at)
		return -ENOENT;
	if (injection_undo_stopped(threads, relay->patches, 2))
		return -EINVAL;
	return threads->threads[0].registers.rip == relay->parking.injected->address + CODE_AT ? 0 : -EILSEQ;
}

static void test_injection_at_a_landing(void **state)
{
	static const char *const words[] = {"1", "calls", NULL};
	struct injected injected;
	struct relay relay = {.parking = {.injected = &injected}};
	u8 before[INJECTION_CODE_MAX];

	(void)state;
	injected_start(&injected, words);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	make_relay(&injected, relay.patches);
	injected_function_bytes(&injected, before);
	relay.parking.at = injected.page->function + LANDING;
	for (int i = 0; i < 20; i++) {
		patch_relay(&injected, relay.patches);
		assert_int_equal(stopped_threads_do(injected.target.pid, STOPPED_ALL, DEADLINE_MS * 1000000ull,
						    undo_below, &relay, NULL),
				 0);
		assert_undone(&injected, before);
	}
	injected_release(&injected);
}

static void test_injection_at_a_landing_below_a_signal_handler(void **state)
{
	static const char *const words[] = {"1", "calls", NULL};
	struct injected injected;
	struct relay relay = {.parking = {.injected = &injected, .signal = SIGUSR1}};
	u8 before[INJECTION_CODE_MAX];

	(void)state;
	injected_start(&injected, words);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	make_relay(&injected, relay.patches);
	injected_function_bytes(&injected, before);
	patch_relay(&injected, relay.patches);
	relay.parking.at = injected.page->function + LANDING;
	assert_int_equal(stopped_threads_do(injected.target.pid, STOPPED_ALL, DEADLINE_MS * 1000000ull, park,
					    &relay.parking, NULL),
			 0);
	injected_await_held(&injected);
	for (int i = 0; i < 3; i++)
		assert_int_equal(try_to_undo(&injected, relay.patches), -EAGAIN);
	injected.page->release = 1;
	injected_check(&injected);
	undo_relay(&injected, relay.patches);
	assert_undone(&injected, before);
	injected_release(&injected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_injection_between_the_instructions),
		cmocka_unit_test(test_injection_below_a_signal_handler),
		cmocka_unit_test(test_injection_at_a_landing),
		cmocka_unit_test(test_injection_at_a_landing_below_a_signal_handler),
	};

	return cmocka_run_group_tests_name("injection_parked", tests, NULL, NULL);
}
