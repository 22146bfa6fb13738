/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack_switches.c: which functions have a rule of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "binary/elf.h"
#include "binary/elf_symbols.h"

static int said_section(const struct elf *elf, const char *name, u64 size_max, u8 **ret_bytes, u64 *ret_size,
			u64 *ret_address);
static int said_functions(struct elf *elf, int (*each)(const struct elf_symbol *symbol, void *arg), void *arg);
static ssize_t said_bytes(const struct elf *elf, u64 offset, void *buffer, size_t size);

#define elf_read_section      said_section
#define elf_for_each_function said_functions
#define elf_read	      said_bytes
#include "unwind/stack_switches.c"
#undef elf_read_section
#undef elf_for_each_function
#undef elf_read

static bool is_go, is_framed;

static int said_section(const struct elf *elf, const char *name, u64 size_max, u8 **ret_bytes, u64 *ret_size,
			u64 *ret_address)
{
	(void)elf;
	assert_string_equal(name, ".note.go.buildid");
	assert_true(size_max && !ret_address);
	*ret_size = 1;
	*ret_bytes = is_go ? calloc(1, 1) : NULL;
	return is_go ? 0 : -ENOENT;
}

static const struct elf_symbol symbols[] = {
	{.name = "main.main", .offset = 0x10, .size = 1},
	{.name = "runtime.asmcgocall", .offset = 0x20, .size = 1}, /* the wrapper */
	{.name = "runtime.asmcgocall.abi0", .offset = 0x30, .size = 1},
	{.name = "runtime.systemstack.abi0", .offset = 0x40, .size = 1},
	{.name = "runtime.systemstack_switch.abi0", .offset = 0x50, .size = 1},
	{.name = "runtime.mcall", .offset = 0x60, .size = 1},
	{.name = "runtime.cgocallback.abi0", .offset = 0x70, .size = 1},
	{.name = "runtime.cgocallbackg.abi0", .offset = 0x80, .size = 1},
	{.name = "runtime.goexit.abi0", .offset = 0x90, .size = 1},
	{.name = "runtime.goexit0", .offset = 0xa0, .size = 1},
	{.name = "caml_call_realloc_stack", .offset = 0xb0, .size = 1},
	{.name = "caml_call_gc", .offset = 0xc0, .size = 1},
};

static int said_functions(struct elf *elf, int (*each)(const struct elf_symbol *symbol, void *arg), void *arg)
{
	(void)elf;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		assert_int_equal(each(&symbols[i], arg), 0);
	return 0;
}

static ssize_t said_bytes(const struct elf *elf, u64 offset, void *buffer, size_t size)
{
	(void)elf;
	(void)offset;
	memset(buffer, 0x90, size);
	if (is_framed)
		memcpy(buffer, "\x55\x48\x89\xe5", 4);
	return (ssize_t)size;
}

static void assert_rule(const struct stack_switches *list, u64 offset, enum unwind_cfa cfa)
{
	assert_non_null(stack_switches_rule(list, offset));
	assert_int_equal(stack_switches_rule(list, offset)->cfa, cfa);
}

static void test_stack_switches_are_known_by_name(void **state)
{
	struct stack_switches list = {0};

	(void)state;
	is_framed = false;
	stack_switches_read(NULL, &list);
	assert_int_equal(list.count, 6);
	assert_rule(&list, 0x30, CFA_UNKNOWN);
	assert_rule(&list, 0x40, CFA_CUT);
	assert_rule(&list, 0x60, CFA_END);
	assert_rule(&list, 0x70, CFA_CUT);
	assert_rule(&list, 0x90, CFA_END);
	assert_rule(&list, 0xb0, CFA_CUT);
	assert_null(stack_switches_rule(&list, 0x20));
}

/* From Go 1.21 on: bp leads from the thread's stack to the goroutine's. */
static void test_go_systemstack_with_a_frame_pointer_goes_by_it(void **state)
{
	struct stack_switches list = {0};

	(void)state;
	is_framed = true;
	stack_switches_read(NULL, &list);
	assert_rule(&list, 0x40, CFA_BP);
	assert_int_equal(stack_switches_rule(&list, 0x40)->switches, 1);
	assert_rule(&list, 0x30, CFA_UNKNOWN);
	assert_rule(&list, 0x70, CFA_CUT);
}

static void test_stack_switches_of_go_are_looked_for_in_files_of_its_linker(void **state)
{
	(void)state;
	is_go = true;
	assert_true(stack_switches_is_go(NULL));
	is_go = false;
	assert_false(stack_switches_is_go(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stack_switches_are_known_by_name),
		cmocka_unit_test(test_go_systemstack_with_a_frame_pointer_goes_by_it),
		cmocka_unit_test(test_stack_switches_of_go_are_looked_for_in_files_of_its_linker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
