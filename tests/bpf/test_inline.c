/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inline.bpf.c: what the sampler in the process tells at its sites. */
#include "alloc_call.h"

#include "bpf/inline.bpf.c"

#define FUNCTION (BASE + 0x2000)

/* Links on the sites have no filter: the process is looked up. */
static int setup_wide(void **state)
{
	u32 pid = PID, number = SCOPE;

	setup(state);
	bpf_map_update_elem(&scope_by_pid, &pid, &number, BPF_ANY);
	config.sample_bytes = 4096;
	return 0;
}

static void at_site(enum sampler_site site, u64 addr, u64 size, u64 untabled)
{
	user.stack[0] = CALLER;
	regs = (struct pt_regs){.di = addr, .si = size, .dx = FUNCTION, .cx = untabled, .ip = BASE + SITE};
	regs.sp = (u64)(uintptr_t)user.stack;
	stub.func_ip = regs.ip;
	stub.cookie = cookie_make(CALL_INLINE, site, 0, SCOPE_BY_PID, 0, SITE);
	assert_int_equal(inline_site(&regs), 0);
}

static u64 born_inside(u64 addr, u64 size)
{
	at_site(SAMPLER_BORN, addr, size, 0);
	return assert_born(addr, size);
}

static u64 ended(enum event_kind kind)
{
	return ((const struct event_object *)next_event(kind))->object;
}

static void test_inline_object_is_born_with_its_callers_stack(void **state)
{
	const struct event_stack *stack;

	(void)state;
	at_site(SAMPLER_BORN, 0x5000, 100, 0);
	stack = next_event(EVENT_STACK);
	assert_true(stack->depth >= 1);
	assert_true(stack->ip[0] == CALLER);
	assert_born(0x5000, 100);
	assert_int_equal(counted(COUNTER_SAMPLED), 1);
	assert_int_equal(counted(COUNTER_INLINE), 1);
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 1);
}

/* Probes on its allocator's functions are there for others: the sampler counts for it, functions that throw included. */
static void test_inline_process_is_served_by_no_probes(void **state)
{
	static const enum call_kind kinds[] = {CALL_MALLOC, CALL_NEW};
	u32 number = SCOPE;

	(void)state;
	((struct scope *)bpf_map_lookup_elem(&scopes, &number))->wide = SCOPE_INLINE;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		at_entry(kinds[i], 100, 0, 0);
		assert_int_equal(alloc_session(&regs), 1);
		stub.cookie = cookie_make(kinds[i], ARG_DI, 0, SCOPE_BY_PID, 0, SITE);
		assert_int_equal(alloc_session(&regs), 1);
	}
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 0);
	born_inside(0x5000, 100);
	assert_int_equal(counted(COUNTER_SAMPLED), 1);
}

static void test_inline_shows_the_function_where_that_is_wanted(void **state)
{
	const struct event_stack *stack;

	(void)state;
	config.show_allocator = 1;
	at_site(SAMPLER_BORN, 0x5000, 100, 0);
	stack = next_event(EVENT_STACK);
	assert_true(stack->ip[0] == FUNCTION + 1);
	assert_true(stack->ip[1] == CALLER);
}

static void test_inline_object_is_freed(void **state)
{
	u64 object = born_inside(0x5000, 100);

	(void)state;
	at_site(SAMPLER_FREED, 0x5000, 0, 0);
	assert_int_equal(ended(EVENT_FREE), object);
	assert_int_equal(stub_count(&live), 0);
	assert_int_equal(counted(COUNTER_INHERITED), 0);
}

static void test_inline_free_of_a_parents_object_is_counted_apart(void **state)
{
	(void)state;
	at_site(SAMPLER_FREED, 0x5000, 0, 0);
	at_site(SAMPLER_MOVED, 0x6000, 0, 0);
	at_site(SAMPLER_SETTLED, 0x6000, 1, 0);
	assert_no_event();
	assert_int_equal(counted(COUNTER_INHERITED), 2);
	assert_int_equal(stub_count(&stashes), 0);
}

static void test_inline_object_that_the_table_has_no_room_for_is_not_followed(void **state)
{
	const struct event_alloc *event;

	(void)state;
	at_site(SAMPLER_BORN, 0x5000, 100, 1);
	event = next_event(EVENT_ALLOC);
	assert_int_equal(event->header.flags, EVENT_REFUSED);
	assert_int_equal(stub_count(&live), 0);
	assert_int_equal(counted(COUNTER_TABLE_FULL), 1);
	assert_int_equal(counted(COUNTER_REFUSED), 1);
}

static void test_inline_object_that_moved_is_dead(void **state)
{
	u64 object = born_inside(0x5000, 100);

	(void)state;
	at_site(SAMPLER_MOVED, 0x5000, 0, 0);
	assert_int_equal(ended(EVENT_MOVED), object);
	at_site(SAMPLER_SETTLED, 0x5000, 1, 0);
	assert_no_event();
	assert_int_equal(stub_count(&live), 0);
	assert_int_equal(stub_count(&stashes), 0);
}

static void test_inline_object_lives_on_where_realloc_failed(void **state)
{
	u64 object = born_inside(0x5000, 100);

	(void)state;
	at_site(SAMPLER_MOVED, 0x5000, 0, 0);
	assert_int_equal(ended(EVENT_MOVED), object);
	at_site(SAMPLER_SETTLED, 0x5000, 0, 0);
	assert_int_equal(ended(EVENT_REVIVED), object);
	at_site(SAMPLER_FREED, 0x5000, 0, 0);
	assert_int_equal(ended(EVENT_FREE), object);
}

static void test_inline_alloc_only_does_not_follow(void **state)
{
	const struct event_alloc *event;

	(void)state;
	config.alloc_only = 1;
	at_site(SAMPLER_BORN, 0x5000, 100, 0);
	event = next_event(EVENT_ALLOC);
	assert_int_equal(event->header.flags, EVENT_UNFOLLOWED);
}

/* What the process pays for. */
static void test_inline_every_trap_is_counted(void **state)
{
	(void)state;
	born_inside(0x5000, 100);
	at_site(SAMPLER_MOVED, 0x5000, 0, 0);
	ended(EVENT_MOVED);
	at_site(SAMPLER_SETTLED, 0x5000, 0, 0);
	ended(EVENT_REVIVED);
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 3);
	at_site(SAMPLER_FREED, 0x5000, 0, 0);
	assert_int_equal(counted(COUNTER_HITS_FREE), 1);
}

/* Also through links that others have: a process filtered by PID has its sites without a filter. */
static void test_inline_process_that_is_not_traced_is_left_alone(void **state)
{
	u32 pid = PID;

	(void)state;
	bpf_map_delete_elem(&scope_by_pid, &pid);
	at_site(SAMPLER_BORN, 0x5000, 100, 0);
	at_site(SAMPLER_FREED, 0x5000, 0, 0);
	assert_no_event();
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 0);
}

/* --- callers that another's return probe hides --- */

#define TRAMPOLINE 0x7fffffffd000

/* The sampler's pages, and the stack. */
static struct {
	_Alignas(SAMPLER_PAGE) u8 config[SAMPLER_PAGE];
	u8 sites[SAMPLER_PAGE];
	u64 stack[2];
} hiding;

static void put_ranges(u64 start, u64 end)
{
	const u64 from = (u64)(uintptr_t)hiding.config;
	struct sampler_config *inside = (void *)hiding.config;

	inside->range_count = 2;
	inside->ranges[0] = (struct sampler_range){.start = INT32_MIN, .end = INT32_MIN + 1};
	inside->ranges[1] = (struct sampler_range){.start = (s32)(start - from), .end = (s32)(end - from)};
}

static void born_behind_return_probe(u64 caller)
{
	struct return_instance probe = {.stack = (u64)(uintptr_t)hiding.stack, .orig_ret_vaddr = caller};
	struct uprobe_task probes = {.return_instances = &probe};
	struct xol_area area = {.vaddr = TRAMPOLINE};
	struct mm_struct mm = {.uprobes_state = {.xol_area = &area}};
	struct task_struct task = {.utask = &probes, .mm = &mm};

	stub.memory = (uintptr_t)&hiding;
	stub.memory_end = (uintptr_t)(&hiding + 1);
	stub.task = &task;
	hiding.stack[0] = TRAMPOLINE;
	regs = (struct pt_regs){.di = 0x5000, .si = 100, .dx = FUNCTION, .sp = (u64)(uintptr_t)hiding.stack};
	regs.ip = stub.func_ip = (u64)(uintptr_t)&hiding.sites[32];
	stub.cookie = cookie_make(CALL_INLINE, SAMPLER_BORN, 0, SCOPE_BY_PID, 0, SITE);
	assert_int_equal(inline_site(&regs), 0);
	stub.task = &stub_task;
}

static void test_inline_stack_begins_with_the_caller_that_a_return_probe_hides(void **state)
{
	const struct event_stack *stack;

	(void)state;
	put_ranges((u64)(uintptr_t)hiding.sites, (u64)(uintptr_t)&hiding.sites[16]);
	born_behind_return_probe(CALLER);
	stack = next_event(EVENT_STACK);
	assert_true(stack->ip[0] == CALLER);
	assert_born(0x5000, 100);
	assert_int_equal(counted(COUNTER_SAMPLED), 1);
}

static void test_inline_call_of_the_allocators_own_that_a_return_probe_hides_is_not_counted(void **state)
{
	const u64 start = (u64)(uintptr_t)hiding.sites, end = (u64)(uintptr_t)&hiding.sites[16];

	(void)state;
	put_ranges(start, end);
	born_behind_return_probe(start);
	born_behind_return_probe(end - 1);
	assert_no_event();
	assert_int_equal(counted(COUNTER_SAMPLED), 0);
	assert_int_equal(counted(COUNTER_INLINE), 0);
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 2);
	assert_int_equal(stub_count(&live), 0);
	born_behind_return_probe(end);
	born_behind_return_probe(start - 1);
	assert_int_equal(counted(COUNTER_SAMPLED), 2);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup_wide)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inline_object_is_born_with_its_callers_stack),
		TEST(test_inline_process_is_served_by_no_probes),
		TEST(test_inline_shows_the_function_where_that_is_wanted),
		TEST(test_inline_object_is_freed),
		TEST(test_inline_free_of_a_parents_object_is_counted_apart),
		TEST(test_inline_object_that_the_table_has_no_room_for_is_not_followed),
		TEST(test_inline_object_that_moved_is_dead),
		TEST(test_inline_object_lives_on_where_realloc_failed),
		TEST(test_inline_alloc_only_does_not_follow),
		TEST(test_inline_every_trap_is_counted),
		TEST(test_inline_process_that_is_not_traced_is_left_alone),
		TEST(test_inline_stack_begins_with_the_caller_that_a_return_probe_hides),
		TEST(test_inline_call_of_the_allocators_own_that_a_return_probe_hides_is_not_counted),
	};

	return cmocka_run_group_tests_name("inline", tests, NULL, NULL);
}
