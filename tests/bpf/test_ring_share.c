/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emit.bpf.h: a process that floods a shared ring leaves room for processes that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "bpf/emit.bpf.h"

#define RING_BYTES 65536
#define FLOOD	   7
#define QUIET	   8

static int setup(void **state)
{
	(void)state;
	stub_reset(RING_BYTES);
	ring_drains = 0;
	config = (struct config){.sample_bytes = 1,
				 .ring_bytes = RING_BYTES,
				 .ring_half = RING_BYTES / 2,
				 .tally_mask = SCOPES_MIN - 1,
				 .fair = 1};
	return 0;
}

/* As many events as are taken, up to `most`. */
static u32 send(u32 process, u32 most)
{
	u32 sent = 0;

	while (sent < most && emit_object(EVENT_FREE, process, 1))
		sent++;
	return sent;
}

#define EVENT_BYTES sizeof(struct event_object)
#define ALL	    (RING_BYTES / EVENT_BYTES)

static void test_ring_share_of_one_ends_before_the_ring_does(void **state)
{
	(void)state;
	assert_true(send(FLOOD, ALL) * EVENT_BYTES > RING_BYTES / 2);
	assert_true(RING_BYTES - stub.ring_used > RING_BYTES / 8);
	assert_int_equal(send(QUIET, 10), 10);
	assert_int_equal(send(FLOOD, 1), 0);
}

/* All at once, each as fast as the others. */
static void test_ring_share_of_many_leaves_some_to_another(void **state)
{
	u32 sent;

	(void)state;
	do {
		sent = 0;
		for (u32 process = FLOOD + 2; process < FLOOD + 32; process++)
			sent += send(process, 1);
	} while (sent);
	assert_int_equal(send(QUIET, 10), 10);
}

static void test_ring_share_begins_anew_with_a_drain(void **state)
{
	size_t size;

	(void)state;
	send(FLOOD, ALL);
	assert_int_equal(send(FLOOD, 1), 0);
	ring_drains++;
	assert_int_equal(send(FLOOD, 1), 1);
	while (stub_ring_next(&size))
		;
	assert_true(send(FLOOD, ALL) * EVENT_BYTES > RING_BYTES / 2);
}

static void test_ring_share_is_not_asked_for_of_one_process_alone(void **state)
{
	(void)state;
	config.fair = 0;
	send(FLOOD, ALL);
	assert_true(RING_BYTES - stub.ring_used <= 2 * EVENT_BYTES);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ring_share_of_one_ends_before_the_ring_does),
		TEST(test_ring_share_of_many_leaves_some_to_another),
		TEST(test_ring_share_begins_anew_with_a_drain),
		TEST(test_ring_share_is_not_asked_for_of_one_process_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
