/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace/held_events: what was kept comes back, in order and whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trace/held_events.h"

static void test_in_order_and_whole(void **state)
{
	const size_t sizes[] = {sizeof(struct event), sizeof(struct event) + 1, sizeof(struct event_alloc),
				sizeof(struct event_raw)};
	union {
		struct event header;
		u8 bytes[sizeof(struct event_raw)];
	} event;
	struct held_events held = {0};
	const struct event *found;
	size_t at = 0, size;

	(void)state;
	assert_null(held_events_next(&held, &at, &size));
	for (u32 i = 0; i < 1000; i++) {
		memset(&event, (int)(i & 0xff), sizeof(event));
		event.header.process = i;
		assert_int_equal(held_events_add(&held, &event.header, sizes[i % 4]), 0);
	}
	for (u32 i = 0; i < 1000; i++) {
		found = held_events_next(&held, &at, &size);
		assert_non_null(found);
		assert_int_equal(size, sizes[i % 4]);
		memset(&event, (int)(i & 0xff), sizeof(event));
		event.header.process = i;
		assert_memory_equal(found, &event, size);
	}
	assert_null(held_events_next(&held, &at, &size));
	held_events_release(&held);
	at = 0;
	assert_null(held_events_next(&held, &at, &size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order_and_whole),
	};

	return cmocka_run_group_tests_name("held_events", tests, NULL, NULL);
}
