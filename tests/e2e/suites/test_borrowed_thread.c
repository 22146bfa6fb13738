/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread that makes calls for heaptap ends, or gets no processor for too long: the next try finds the process as it was. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/injected.h"
#include "system/call_gate.h"
#include "system/interruption.h"

#define HELD_AT	    6	    /* the point by which the thread is held, and makes calls */
#define LATE_US	    2100000 /* more than all calls may take */
#define TRIES	    5
#define BEFORE_LAST 6 /* the points from that of the last call on, up to the end */

static struct patient_page *executing;
static unsigned int points, late_at;

static void execute_meanwhile(void)
{
	u64 until = deadline_ns();

	if (++points != HELD_AT)
		return;
	executing->ready = 0;
	executing->release = 1;
	while (!executing->ready && now_ns() < until)
		usleep(1000);
}

/* Did the process execute the program, and is it said that another try may help? */
static bool map_as_it_executes(struct injected *injected)
{
	static const char *const words[] = {"2", "again", "calls", NULL};
	int err;

	injected_start(injected, words);
	executing = injected->page;
	points = 0;
	interruption_hook = execute_meanwhile;
	err = injected_map(injected, 1);
	interruption_hook = NULL;
	return err == -EAGAIN && executing->held && executing->ready;
}

/* Another thread of the process executes a program, at which all others end. On a busy machine it may not be held in time. */
static void test_borrowed_thread_ends(void **state)
{
	struct injected injected;
	int tries = TRIES;

	(void)state;
	while (!map_as_it_executes(&injected)) {
		injected_release(&injected);
		assert_true(--tries);
	}
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	injected_cycle(&injected);
	injected_release(&injected);
}

static void be_late(void)
{
	if (++points == late_at)
		usleep(LATE_US);
}

static int map_late(struct injected *injected, unsigned int at)
{
	int err;

	points = 0;
	late_at = at;
	interruption_hook = be_late;
	err = injected_map(injected, 1);
	interruption_hook = NULL;
	return err;
}

/* It is not where the next call would begin, then. That is said, and not that the process has ended. */
static void test_borrowed_thread_is_late(void **state)
{
	static const char *const words[] = {"1", "calls", "state", NULL};
	struct injected injected;
	unsigned int last = 0;

	(void)state;
	injected_start(&injected, words);
	/* One that is tried again passes more. */
	for (int tries = TRIES; tries; tries--)
		if (!map_late(&injected, 0) && (!last || points < last))
			last = points;
	assert_true(last > BEFORE_LAST);
	for (unsigned int before = BEFORE_LAST; before > 2; before--) {
		int err = map_late(&injected, last - before);

		if (err && !injection_may_pass(err))
			fail_msg("late at %u of %u points: %d", last - before, last, err);
		injected_check(&injected);
	}
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	injected_cycle(&injected);
	injected_release(&injected);
}

static const struct injected *spoilt;
static struct call_gate gate;

/* As if the library with that code were closed by another thread: what is there then is no instruction. */
static void write_gate(const u8 code[sizeof(u16)])
{
	char path[64];
	int memory;

	snprintf(path, sizeof(path), "/proc/%d/mem", spoilt->target.pid);
	memory = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(memory, code, sizeof(u16), (off_t)gate.call), sizeof(u16));
	close(memory);
}

static void spoil_gate(void)
{
	static const u8 invalid[] = {0x0f, 0x0b};

	if (++points == HELD_AT)
		write_gate(invalid);
}

/* The signal for that, which the thread has blocked, would end the process. */
static void test_borrowed_thread_loses_the_code_of_its_calls(void **state)
{
	static const u8 call[] = {0x0f, 0x05};
	static const char *const words[] = {"1", "state", NULL};
	struct injected injected;
	int err = 0;

	(void)state;
	injected_start(&injected, words);
	spoilt = &injected;
	assert_int_equal(call_gate_find(injected.target.pid, &gate), 0);
	/* On a busy machine the thread may not stop in time, nor at a place where it can be borrowed. */
	for (int i = 0; i < INJECTED_TRIES && err != -EFAULT; i++) {
		points = 0;
		interruption_hook = spoil_gate;
		err = injected_map(&injected, 1);
		interruption_hook = NULL;
		write_gate(call);
	}
	assert_int_equal(err, -EFAULT);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	injected_cycle(&injected);
	injected_release(&injected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_borrowed_thread_ends),
		cmocka_unit_test(test_borrowed_thread_is_late),
		cmocka_unit_test(test_borrowed_thread_loses_the_code_of_its_calls),
	};

	return cmocka_run_group_tests_name("borrowed_thread", tests, NULL, NULL);
}
