/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack.bpf.h against stackhash.h: user space must be able to tell from a hash which mapping list made it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "../../bpf/stack.bpf.h"

#include "../../include/stackhash.h"
#include "table.h"

#define PROCESS 3
#define CODE	0x400000

static struct task_struct task;
static struct scope scope;

/* User memory, from sp on. */
static _Alignas(4096) u64 memory[4096];

static int setup(void **state)
{
	(void)state;
	stub_reset(1 << 20);
	config = (struct config){.sample_bytes = 1, .ring_half = 1 << 19, .tally_mask = TALLIES_MIN - 1};
	stub.task = &task;
	stub.memory = (uintptr_t)memory;
	stub.memory_end = (uintptr_t)memory + sizeof(memory);
	scope = (struct scope){.process = PROCESS};
	table_of_plain_code(&scope, PROCESS, CODE);
	return 0;
}

static const struct event_stack *capture(u32 depth)
{
	struct pt_regs regs = {.ip = CODE + 0x1000, .sp = (uintptr_t)memory, .bp = 0x1234};
	const struct event_stack *event;
	size_t size;
	u64 hash;

	memset(memory, 0, sizeof(memory));
	for (u32 i = 0; i + 1 < depth; i++)
		memory[i] = CODE + 0x1010 + 16 * i;
	hash = stack_capture(&regs, &(struct stash){.process = PROCESS}, &scope);
	event = stub_ring_next(&size);
	assert_non_null(event);
	assert_int_equal(event->depth, depth);
	assert_true(event->stack == hash);
	return event;
}

static void test_stackhash_equals_that_of_the_programs(void **state)
{
	static const u32 generations[] = {1, 2, 77, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(generations) / sizeof(*generations); i++) {
		scope.generation = generations[i];
		for (u32 depth = 1; depth <= STACK_DEPTH_MAX; depth++) {
			const struct event_stack *event = capture(depth);

			assert_true(event->stack ==
				    stackhash(event->ip, depth, stackhash_seed(PROCESS, generations[i])));
			assert_false(event->stack ==
				     stackhash(event->ip, depth, stackhash_seed(PROCESS, generations[i] + 1)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_stackhash_equals_that_of_the_programs, setup),
	};

	return cmocka_run_group_tests_name("stackhash", tests, NULL, NULL);
}
