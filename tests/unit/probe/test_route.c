/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route.c on functions of this program, written in assembly: where their calls lead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "binary/elf.h"
#include "probe/route.h"

/* `served` and `released` are the functions found; the others are those asked about, and what they use. */
#define FUNCTION(name, body)                                                                                           \
	__asm__(".text\n.globl " name "\n.type " name ", @function\n" name ":\n" body "\n.size " name ", .-" name "\n" \
		".skip 16, 0xcc\n");
FUNCTION("served", "push %rbx\npop %rbx\nret")
FUNCTION("released", "push %rbx\npop %rbx\nret")
FUNCTION("jumps", "endbr64\nmov %rsi,%rdi\njmp served")
FUNCTION("alias", "endbr64\njmp jumps")
FUNCTION("calls", "sub $8,%rsp\ncall served\nadd $8,%rsp\nret")
FUNCTION("works", "lea 16(%rdi),%rax\nret")
FUNCTION("either", "test %rdi,%rdi\njne 1f\nmov %rsi,%rdi\njmp served\n1: lea 16(%rdi),%rax\nret")
FUNCTION("fails_or_calls", "test %rdi,%rdi\nje 1f\nsub $8,%rsp\ncall served\nadd $8,%rsp\nret\n1: xor %eax,%eax\nret")
FUNCTION("errs_or_calls",
	 "mov $22,%eax\ntest %rdi,%rdi\nje 1f\nsub $8,%rsp\ncall served\nxor %eax,%eax\nadd $8,%rsp\n1: ret")
FUNCTION("conditional", "test %rdi,%rdi\nje served\nlea 16(%rdi),%rax\nret")
FUNCTION("part_jumps", "mov %rsi,%rdi\njmp served")
FUNCTION("part_calls", "sub $8,%rsp\ncall served\nadd $8,%rsp\n.globl part_returns\npart_returns: ret")
FUNCTION("through_jump", "sub $8,%rsp\ncall part_jumps\nadd $8,%rsp\nret")
FUNCTION("through_call", "test %rdi,%rdi\nje 1f\njmp part_calls\n1: lea 16(%rdi),%rax\nret")
FUNCTION("by_pointer", "jmp *%rax")
FUNCTION("frees", "test %rdi,%rdi\nje 1f\njmp released\n1: ret")
FUNCTION("never_ends", "1: jmp 1b")
#define BODIES	   "96"
#define BODY_BYTES "8192"
FUNCTION("sprawling_bodies", ".skip " BODIES " * " BODY_BYTES ", 0x90\nret")
FUNCTION("sprawls", "sub $8,%rsp\n.set number, 0\n.rept " BODIES "\ncall sprawling_bodies + number * " BODY_BYTES
		    "\n.set number, number + 1\n.endr\nadd $8,%rsp\njmp served")
FUNCTION("recursive", "sub $8,%rsp\ncall recursive\nadd $8,%rsp\nret")

extern const char __executable_start[] __attribute__((visibility("hidden")));
#define OFFSET(name)                                                                                                   \
	({                                                                                                             \
		extern const char name[] __attribute__((visibility("hidden")));                                        \
		offset_of(name);                                                                                       \
	})

static struct elf *elf;
static struct routes *routes;

static u64 offset_of(const char *code)
{
	u64 offset = 0;

	assert_int_equal(elf_vaddr_to_offset(elf, (u64)(code - __executable_start), &offset), 0);
	return offset;
}

static enum route_service service(void *arg, u64 offset)
{
	(void)arg;
	if (offset == OFFSET(served))
		return ROUTE_ALLOCATES;
	return offset == OFFSET(released) ? ROUTE_FREES : ROUTE_OTHER;
}

static int find_size(const struct elf_symbol *symbol, void *arg)
{
	struct route_function *function = arg;

	if (symbol->offset != function->offset || !symbol->size)
		return 0;
	function->size = symbol->size;
	return 1;
}

static struct route route_of(u64 offset, bool frees, bool returns_error)
{
	struct route_function function = {.offset = offset, .frees = frees, .returns_error = returns_error};
	struct route route;

	assert_int_equal(elf_for_each_function(elf, find_size, &function), 1);
	assert_int_equal(routes_find(routes, &function, &route), 0);
	return route;
}

#define ROUTE(name) route_of(OFFSET(name), false, false)

static void test_route_of_a_function_that_jumps_on(void **state)
{
	struct route route = ROUTE(jumps);

	(void)state;
	assert_true(route.leads && !route.own && !route.calls && !route.uncertain);
	assert_int_equal(route.jump_count, 1);
	assert_true(route.jumps[0] > OFFSET(jumps) && route.jumps[0] < OFFSET(jumps) + 16);
	route = ROUTE(alias);
	assert_true(route.leads && !route.own && !route.calls);
}

static void test_route_of_a_function_that_calls_another(void **state)
{
	struct route route = ROUTE(calls);

	(void)state;
	assert_true(route.leads && route.calls && !route.own);
	assert_int_equal(route.return_count, 0);
}

static void test_route_of_a_function_that_does_the_work(void **state)
{
	struct route route = ROUTE(works);

	(void)state;
	assert_true(route.own && !route.leads);
	route = ROUTE(either);
	assert_true(route.own && route.leads);
	assert_int_equal(route.jump_count, 1);
}

/* A way that ends in a failure serves nobody. */
static void test_route_of_a_function_that_may_fail_before(void **state)
{
	struct route route = ROUTE(fails_or_calls);

	(void)state;
	assert_true(route.leads && !route.own);
	route = route_of(OFFSET(errs_or_calls), false, true);
	assert_true(route.leads && !route.own);
	route = ROUTE(errs_or_calls);
	assert_true(route.own);
}

static void test_route_by_a_conditional_jump_is_uncertain(void **state)
{
	struct route route = ROUTE(conditional);

	(void)state;
	assert_true(route.own && route.leads && route.uncertain);
}

static void test_route_through_other_code_is_followed(void **state)
{
	struct route route = ROUTE(through_jump);

	(void)state;
	assert_true(route.leads && !route.own);
	route = ROUTE(through_call);
	assert_true(route.leads && route.own);
	assert_int_equal(route.return_count, 1);
	assert_true(route.returns[0] > OFFSET(part_calls) && route.returns[0] < OFFSET(part_returns));
}

static void test_route_that_nobody_can_follow_is_its_own(void **state)
{
	struct route route = ROUTE(by_pointer);

	(void)state;
	assert_true(route.own && !route.leads);
}

/* Allocating functions do not lead to freeing ones, and the other way round. */
static void test_route_leads_to_functions_of_the_same_purpose(void **state)
{
	struct route route = route_of(OFFSET(frees), true, false);

	(void)state;
	assert_true(route.leads && route.own);
	route = route_of(OFFSET(frees), false, false);
	assert_true(route.own && !route.leads);
	route = route_of(OFFSET(jumps), true, false);
	assert_true(route.own && !route.leads);
}

static void test_route_that_has_no_end_ends(void **state)
{
	struct route route = ROUTE(never_ends);

	(void)state;
	assert_false(route.leads);
	route = ROUTE(recursive);
	assert_true(route.own);
}

/* Each of its callees is within the bounds, all together are not: then nothing is claimed. */
static void test_route_that_takes_too_many_steps_is_uncertain(void **state)
{
	struct routes *before = routes;
	struct route route;

	(void)state;
	routes = routes_new(elf, NULL, service, NULL);
	assert_non_null(routes);
	route = ROUTE(sprawls);
	assert_true(route.uncertain && route.own);
	route = ROUTE(jumps);
	assert_true(route.uncertain && route.own);
	routes_free(routes);
	routes = before;
}

static void test_route_size_is_that_of_the_symbol(void **state)
{
	(void)state;
	assert_int_equal(routes_size(routes, OFFSET(sprawling_bodies)), 96 * 8192 + 1);
	assert_int_equal(routes_size(routes, OFFSET(sprawling_bodies) + 1), 0);
}

static void test_route_jump_tells_what_is_another_name_of_something(void **state)
{
	u64 target = 0;

	(void)state;
	assert_true(routes_jump(routes, OFFSET(alias), &target));
	assert_int_equal(target, OFFSET(jumps));
	assert_false(routes_jump(routes, OFFSET(jumps), &target));
}

/* Bytes of any kind are no reason to fail, nor to read on for ever. */
static void test_route_begins_anywhere(void **state)
{
	(void)state;
	for (u64 offset = OFFSET(served); offset < OFFSET(served) + 2000; offset++) {
		struct route_function function = {.offset = offset, .size = 64};
		struct route route;

		assert_int_equal(routes_find(routes, &function, &route), 0);
	}
	assert_int_equal(routes_find(routes, &(struct route_function){.offset = UINT64_MAX - 3}, &(struct route){0}),
			 0);
}

static int setup(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	if (elf_open(fd, "self", &elf))
		return -1;
	routes = routes_new(elf, NULL, service, NULL);
	return routes ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	routes_free(routes);
	elf_free(elf);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_route_of_a_function_that_jumps_on),
		cmocka_unit_test(test_route_of_a_function_that_calls_another),
		cmocka_unit_test(test_route_of_a_function_that_does_the_work),
		cmocka_unit_test(test_route_of_a_function_that_may_fail_before),
		cmocka_unit_test(test_route_by_a_conditional_jump_is_uncertain),
		cmocka_unit_test(test_route_through_other_code_is_followed),
		cmocka_unit_test(test_route_that_nobody_can_follow_is_its_own),
		cmocka_unit_test(test_route_leads_to_functions_of_the_same_purpose),
		cmocka_unit_test(test_route_that_has_no_end_ends),
		cmocka_unit_test(test_route_that_takes_too_many_steps_is_uncertain),
		cmocka_unit_test(test_route_size_is_that_of_the_symbol),
		cmocka_unit_test(test_route_jump_tells_what_is_another_name_of_something),
		cmocka_unit_test(test_route_begins_anywhere),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
