/* SPDX-License-Identifier: GPL-2.0-or-later */
/* go.bpf.c: what is told of the objects that a Go program has sampled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "bpf/go.bpf.c"

#define PROCESS	    6
#define SCOPE	    2
#define PID	    3000
#define ADDR	    0xc000012000
#define KIND	    3
#define KIND_OFFSET 16

#include "told.h"

/* All there is of user memory. */
static struct {
	u64 bucket[8]; /* next, allnext, typ, hash, size ... */
	u8 special[24];
} user;

static struct scope *scope(void)
{
	u32 number = SCOPE;

	return bpf_map_lookup_elem(&scopes, &number);
}

static int setup(void **state)
{
	struct scope followed = {.process = PROCESS, .pid = PID, .wide = 1, .go = PROCESS};
	u32 number = SCOPE, pid = PID;

	(void)state;
	stub_reset(1 << 20);
	stub.memory = (uintptr_t)&user;
	stub.memory_end = (uintptr_t)(&user + 1);
	stub.pid_tgid = (u64)PID << 32 | PID;
	config = (struct config){.sample_bytes = 524288, .ring_half = 1 << 19, .tally_mask = SCOPES_MIN - 1};
	bpf_map_update_elem(&scopes, &number, &followed, BPF_ANY);
	bpf_map_update_elem(&scope_by_pid, &pid, &number, BPF_ANY);
	return 0;
}

static void is_born(u64 addr, u64 size)
{
	struct pt_regs regs = {.ax = addr, .bx = (u64)(uintptr_t)user.bucket, .flags = ~(FLAG_CARRY | FLAG_ZERO)};

	user.bucket[4] = size;
	stub.cookie = go_cookie_make(GO_BORN, 0, 0);
	assert_int_equal(go_object(&regs), 0);
}

static void dies(u64 addr, u8 kind)
{
	struct pt_regs regs = {.ax = (u64)(uintptr_t)user.special, .bx = addr, .cx = 64};

	user.special[KIND_OFFSET] = kind;
	stub.cookie = go_cookie_make(GO_DIED, KIND, KIND_OFFSET);
	assert_int_equal(go_object(&regs), 0);
}

/* The goroutine has no room on its stack: it comes again when it has. */
static void is_turned_away(u64 addr, unsigned long flags)
{
	struct pt_regs regs = {.ax = addr, .bx = (u64)(uintptr_t)user.bucket, .flags = flags};

	stub.cookie = go_cookie_make(GO_BORN, 0, 0);
	assert_int_equal(go_object(&regs), 0);
}

static const struct event_alloc *next_birth(void)
{
	size_t size = 0;
	const struct event_alloc *event = stub_ring_next(&size);

	assert_non_null(event);
	assert_int_equal(event->header.kind, EVENT_ALLOC);
	assert_int_equal(event->header.process, PROCESS);
	return event;
}

static u64 next_death(enum event_kind kind)
{
	size_t size = 0;
	const struct event_object *event = stub_ring_next(&size);

	assert_non_null(event);
	assert_int_equal(event->header.kind, kind);
	return event->object;
}

static void fill_ring(void)
{
	while (stub_ring_reserve(8))
		stub_ring_finish(stub.last->data, STUB_DISCARDED, BPF_RB_NO_WAKEUP);
}

static void test_go_birth_says_bucket_and_size(void **state)
{
	const struct event_alloc *event;

	(void)state;
	is_born(ADDR, 4096);
	event = next_birth();
	assert_int_equal(event->header.flags, EVENT_GO);
	assert_int_equal(event->addr, ADDR);
	assert_int_equal(event->size, 4096);
	assert_int_equal(event->stack, (u64)(uintptr_t)user.bucket);
	assert_int_equal(counted(COUNTER_AGES_BORN), 1);
	assert_int_equal(counted(COUNTER_SAMPLED), 0);
}

static void test_go_call_whose_guard_branches_away_is_not_counted(void **state)
{
	(void)state;
	is_turned_away(ADDR, FLAG_CARRY);
	is_turned_away(ADDR, FLAG_ZERO);
	assert_no_event();
	assert_int_equal(counted(COUNTER_AGES_BORN), 0);
	is_born(ADDR, 4096);
	assert_int_equal(next_birth()->addr, ADDR);
	assert_int_equal(counted(COUNTER_AGES_BORN), 1);
}

static void test_go_death_is_that_of_the_object(void **state)
{
	u64 object;

	(void)state;
	is_born(ADDR, 64);
	object = next_birth()->object;
	dies(ADDR + 64, KIND);
	assert_no_event();
	dies(ADDR, KIND);
	assert_int_equal(next_death(EVENT_FREE), object);
	assert_int_equal(stub_count(&live), 0);
	dies(ADDR, KIND);
	assert_no_event();
}

/* A finalizer or a weak pointer goes: the object lives on. */
static void test_go_special_of_another_kind_is_no_death(void **state)
{
	(void)state;
	is_born(ADDR, 64);
	next_birth();
	dies(ADDR, KIND - 1);
	dies(ADDR, KIND + 1);
	assert_no_event();
	assert_int_equal(stub_count(&live), 1);
}

static void test_go_process_that_is_not_followed_tells_nothing(void **state)
{
	u32 pid = PID;

	(void)state;
	/* The image before it was followed. */
	scope()->go = PROCESS - 1;
	is_born(ADDR, 64);
	dies(ADDR, KIND);
	scope()->process = scope()->go = 0;
	is_born(ADDR, 64);
	bpf_map_delete_elem(&scope_by_pid, &pid);
	is_born(ADDR, 64);
	assert_no_event();
	assert_int_equal(counted(COUNTER_AGES_BORN), 0);
	assert_int_equal(stub_count(&live), 0);
}

static void test_go_birth_without_room_in_the_ring_is_counted(void **state)
{
	(void)state;
	fill_ring();
	is_born(ADDR, 64);
	assert_int_equal(counted(COUNTER_AGES_BORN), 1);
	assert_int_equal(counted(COUNTER_AGES_LOST), 1);
	assert_int_equal(stub_count(&live), 0);
}

static void test_go_birth_without_room_in_the_map_is_not_followed(void **state)
{
	(void)state;
	stub_limit(&live, 1);
	is_born(ADDR + 64, 64);
	next_birth();
	is_born(ADDR, 64);
	assert_int_equal(next_birth()->header.flags, EVENT_GO | EVENT_REFUSED);
	assert_int_equal(counted(COUNTER_AGES_REFUSED), 1);
	assert_int_equal(counted(COUNTER_REFUSED), 0);
}

static void test_go_birth_whose_bucket_cannot_be_read_is_counted(void **state)
{
	struct pt_regs regs = {.ax = ADDR, .bx = 8};

	(void)state;
	stub.cookie = go_cookie_make(GO_BORN, 0, 0);
	assert_int_equal(go_object(&regs), 0);
	assert_int_equal(counted(COUNTER_AGES_LOST), 1);
	assert_no_event();
}

/* It stays in the map, dead, until user space finds it there. */
static void test_go_death_without_room_in_the_ring_is_kept(void **state)
{
	struct live_key key = live_key(PROCESS, ADDR);
	u64 object;

	(void)state;
	is_born(ADDR, 64);
	object = next_birth()->object;
	fill_ring();
	dies(ADDR, KIND);
	assert_int_equal(*(u64 *)bpf_map_lookup_elem(&live, &key), live_word(object, LIVE_DEAD));
	assert_int_equal(counted(COUNTER_FREE_DEFERRED), 1);
}

static void test_go_object_whose_death_was_missed_gives_way(void **state)
{
	u64 object;

	(void)state;
	is_born(ADDR, 64);
	object = next_birth()->object;
	is_born(ADDR, 128);
	assert_int_equal(next_birth()->size, 128);
	assert_int_equal(next_death(EVENT_OVERWRITE), object);
	assert_int_equal(counted(COUNTER_FREE_UNSEEN), 1);
	assert_int_equal(stub_count(&live), 1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_go_birth_says_bucket_and_size),
		TEST(test_go_call_whose_guard_branches_away_is_not_counted),
		TEST(test_go_death_is_that_of_the_object),
		TEST(test_go_special_of_another_kind_is_no_death),
		TEST(test_go_process_that_is_not_followed_tells_nothing),
		TEST(test_go_birth_without_room_in_the_ring_is_counted),
		TEST(test_go_birth_without_room_in_the_map_is_not_followed),
		TEST(test_go_birth_whose_bucket_cannot_be_read_is_counted),
		TEST(test_go_death_without_room_in_the_ring_is_kept),
		TEST(test_go_object_whose_death_was_missed_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
