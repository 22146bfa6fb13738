/* SPDX-License-Identifier: GPL-2.0-or-later */
/* argument_flow.c on functions of this program, written in assembly as compilers write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "binary/elf.h"
#include "probe/argument_flow.h"

/* `obtain` stands for malloc. What is asked about is a call of it, or of `*%rax`, behind which NAME_back is. */
#define FUNCTION(name, body)                                                                                           \
	__asm__(".text\n.globl " name "\n.type " name ", @function\n" name ":\n" body "\n.size " name ", .-" name      \
		"\n.skip 16, 0xcc\n");
#define CALL(name) "call obtain\n.globl " name "_back\n" name "_back: "
FUNCTION("obtain", "push %rbx\npop %rbx\nret")
FUNCTION("stops", "ud2")

/* void *x(size_t n) { void *p = obtain(n); if (!p) stops(); return p; }, -O2 and -O0 */
FUNCTION("optimized",
	 "endbr64\nsub $8,%rsp\n" CALL("optimized") "test %rax,%rax\nje 1f\nadd $8,%rsp\nret\n1: call stops")
FUNCTION("plain",
	 "push %rbp\nmov %rsp,%rbp\nsub $32,%rsp\nmov %rdi,-24(%rbp)\nmov -24(%rbp),%rax\nmov %rax,%rdi\n" CALL(
		 "plain") "mov %rax,-8(%rbp)\ncmpq $0,-8(%rbp)\njne 1f\ncall stops\n1: mov -8(%rbp),%rax\nleave\nret")
/* An int at -O0; a header of 16 bytes at -O2, its result behind that; a size that is rounded, and never 0. */
FUNCTION("narrow",
	 "push %rbp\nmov %rsp,%rbp\nsub $16,%rsp\nmov %edi,-4(%rbp)\nmov -4(%rbp),%eax\ncltq\nmov %rax,%rdi\n" CALL(
		 "narrow") "leave\nret")
FUNCTION("header",
	 "push %rbx\nmov %rdi,%rbx\nlea 16(%rdi),%rdi\n" CALL("header") "mov %rbx,(%rax)\nadd $16,%rax\npop %rbx\nret")
FUNCTION("rounded",
	 "push %rbx\nmov $1,%eax\ntest %rsi,%rsi\ncmove %rax,%rsi\nadd $15,%rsi\nand $-16,%rsi\nmov %rsi,%rdi\n" CALL(
		 "rounded") "pop %rbx\nret")
/* Never 0 by another compiler: 1 is added where the comparison borrows. */
FUNCTION("carried", "push %rbx\ncmp $1,%rsi\nadc $0,%rsi\nmov %rsi,%rdi\n" CALL("carried") "pop %rbx\nret")
/* (n, size) by calloc, by a product, and of a constant size each */
FUNCTION("zeroed", "sub $8,%rsp\nmov %rdi,%rsi\nmov $1,%edi\n" CALL("zeroed") "add $8,%rsp\nret")
FUNCTION("product",
	 "sub $8,%rsp\nmov %rdi,%rax\nmul %rsi\njo 1f\nmov %rax,%rdi\n" CALL("product") "add $8,%rsp\nret\n1: ud2")
FUNCTION("multiplied", "sub $8,%rsp\nimul %rsi,%rdi\n" CALL("multiplied") "add $8,%rsp\nret")
FUNCTION("elements", "sub $8,%rsp\nlea (,%rdi,4),%rdi\n" CALL("elements") "add $8,%rsp\nret")
/* What is no argument: a constant, what an argument points to, what another function said, a narrow part. */
FUNCTION("fixed", "sub $8,%rsp\nmov $64,%edi\n" CALL("fixed") "add $8,%rsp\nret")
FUNCTION("loaded", "sub $8,%rsp\nmov 8(%rdi),%rdi\n" CALL("loaded") "add $8,%rsp\nret")
FUNCTION("measured", "sub $8,%rsp\ncall stops\nmov %rax,%rdi\n" CALL("measured") "add $8,%rsp\nret")
FUNCTION("byte", "sub $8,%rsp\nmov $3,%dil\n" CALL("byte") "add $8,%rsp\nret")
/* The result stays here, is given on in memory, or ends in another function that returns it. */
FUNCTION("keeps",
	 "push %rbx\nmov %rdi,%rbx\nmov %rsi,%rdi\n" CALL("keeps") "mov %rax,8(%rbx)\nxor %eax,%eax\npop %rbx\nret")
FUNCTION("keeps_it", "push %rbx\nmov %rdi,%rbx\nmov %rsi,%rdi\n" CALL("keeps_it") "mov %rax,8(%rbx)\npop %rbx\nret")
FUNCTION("by_memory", "sub $24,%rsp\nmov %rdi,%rdx\nmov $64,%esi\nlea 8(%rsp),%rdi\n" CALL(
			      "by_memory") "test %eax,%eax\njne 1f\nmov 8(%rsp),%rax\n1: add $24,%rsp\nret")
FUNCTION(
	"by_pointer",
	"sub $8,%rsp\nmov table(%rip),%rax\nmov %rsi,%rdi\ncall *%rax\n.globl by_pointer_back\nby_pointer_back: add $8,%rsp\nret")
__asm__(".data\ntable: .quad 0\n.text\n");
/* By a jump, also through a part of its own. */
FUNCTION("jumps", "mov %rsi,%rdi\njmp obtain")
FUNCTION("jumps_on", "test %rsi,%rsi\njne jumps\nmov $1,%esi\njmp jumps")
/* One of its calls, and larger than a wrapper is. */
FUNCTION("two_calls",
	 "push %rbx\nmov %rdi,%rbx\nmov $8,%edi\ncall obtain\nmov %rbx,%rdi\n" CALL("two_calls") "pop %rbx\nret")
FUNCTION("large", "sub $8,%rsp\n" CALL("large") ".rept 500\nlea 1(%rcx),%rcx\n.endr\nadd $8,%rsp\nret")

extern const char __executable_start[] __attribute__((visibility("hidden")));
#define OFFSET(name)                                                                                                   \
	({                                                                                                             \
		extern const char name[] __attribute__((visibility("hidden")));                                        \
		offset_of(name);                                                                                       \
	})

static struct elf *elf;
static struct code *code;

static u64 offset_of(const char *address)
{
	u64 offset = 0;

	assert_int_equal(elf_vaddr_to_offset(elf, (u64)(address - __executable_start), &offset), 0);
	return offset;
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(elf_open(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "self", &elf), 0);
	code = code_new(elf, NULL);
	assert_non_null(code);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	code_free(code);
	elf_free(elf);
	return 0;
}

static bool ends(const char *name)
{
	return !strcmp(name, "obtain");
}

/* From which of the function's own arguments the call's first three are, as bits. */
static void assert_flow(u64 start, u64 back, u8 first, u8 second, u8 third, bool hands_back)
{
	struct argument_flow flow;

	assert_true(argument_flow_find(code, start, back, ends, &flow));
	assert_int_equal(flow.from[0], first);
	assert_int_equal(flow.from[1], second);
	assert_int_equal(flow.from[2], third);
	assert_int_equal(flow.hands_back, hands_back);
}
#define ASSERT_FLOW(name, ...) assert_flow(OFFSET(name), OFFSET(name##_back), __VA_ARGS__)

static void test_flow_follows_a_size_through_registers_and_frame(void **state)
{
	struct argument_flow flow;

	(void)state;
	ASSERT_FLOW(optimized, 1, 2, 4, true);
	assert_true(argument_flow_find(code, OFFSET(optimized), OFFSET(optimized_back), ends, &flow));
	assert_string_equal(flow.callee.name, "obtain");
	ASSERT_FLOW(plain, 1, 2, 4, true);
	ASSERT_FLOW(narrow, 1, 2, 4, true);
	ASSERT_FLOW(header, 1, 2, 4, true);
	ASSERT_FLOW(rounded, 2, 2, 4, true);
	ASSERT_FLOW(carried, 2, 2, 4, true);
	ASSERT_FLOW(two_calls, 1, 0, 0, true);
}

static void test_flow_of_several_arguments_is_of_all(void **state)
{
	struct argument_flow flow;

	(void)state;
	ASSERT_FLOW(product, 3, 2, 0, true);
	ASSERT_FLOW(multiplied, 3, 2, 4, true);
	ASSERT_FLOW(zeroed, 0, 1, 4, true);
	assert_true(argument_flow_find(code, OFFSET(zeroed), OFFSET(zeroed_back), ends, &flow));
	assert_int_equal(flow.one, 1);
}

static void test_flow_of_anything_else_is_none(void **state)
{
	(void)state;
	ASSERT_FLOW(elements, 0, 2, 4, true);
	ASSERT_FLOW(fixed, 0, 2, 4, true);
	ASSERT_FLOW(loaded, 0, 2, 4, true);
	ASSERT_FLOW(measured, 0, 0, 0, true);
	ASSERT_FLOW(byte, 0, 2, 4, true);
}

static void test_flow_knows_whether_the_result_is_handed_back(void **state)
{
	struct argument_flow flow;

	(void)state;
	ASSERT_FLOW(keeps, 2, 2, 4, false);
	ASSERT_FLOW(keeps_it, 2, 2, 4, false);
	ASSERT_FLOW(by_memory, 0, 0, 1, true);
	ASSERT_FLOW(by_pointer, 2, 2, 4, true);
	assert_true(argument_flow_find(code, OFFSET(by_pointer), OFFSET(by_pointer_back), ends, &flow));
	assert_null(flow.callee.name);
}

static void test_flow_through_jumps(void **state)
{
	(void)state;
	assert_flow(OFFSET(jumps), 0, 2, 2, 4, true);
	assert_flow(OFFSET(jumps_on), 0, 2, 2, 4, true);
}

static void test_flow_is_not_found_where_no_way_leads_and_in_large_functions(void **state)
{
	struct argument_flow flow;

	(void)state;
	assert_false(argument_flow_find(code, OFFSET(fixed), OFFSET(loaded_back), ends, &flow));
	assert_false(argument_flow_find(code, OFFSET(large), OFFSET(large_back), ends, &flow));
	assert_false(argument_flow_find(code, OFFSET(stops), 0, ends, &flow));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow_follows_a_size_through_registers_and_frame),
		cmocka_unit_test(test_flow_of_several_arguments_is_of_all),
		cmocka_unit_test(test_flow_of_anything_else_is_none),
		cmocka_unit_test(test_flow_knows_whether_the_result_is_handed_back),
		cmocka_unit_test(test_flow_through_jumps),
		cmocka_unit_test(test_flow_is_not_found_where_no_way_leads_and_in_large_functions),
	};

	return cmocka_run_group_tests_name("argument_flow", tests, setup, teardown);
}
