/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of this process's own files against the C++ runtime's unwinder, on the test's own stack. */
#include <execinfo.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cfi_file.h"

#define FRAMES_MAX 64

struct module {
	u64 base;
	struct elf *elf;
	struct cfi_table table;
};

struct stack {
	struct cfi_rules *rules;
	struct module modules[32];
	u32 module_count;
	u64 frames[FRAMES_MAX];
	u32 count;
	enum unwind_end end;
	void *wanted[FRAMES_MAX];
	int wanted_count;
};

static struct stack stack;

static int add_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct module *module = &stack.modules[stack.module_count];

	(void)size;
	(void)arg;
	if (strstr(info->dlpi_name, "vdso"))
		return 0;
	assert_true(stack.module_count < sizeof(stack.modules) / sizeof(stack.modules[0]));
	module->base = info->dlpi_addr;
	module->elf = must_open(*info->dlpi_name ? info->dlpi_name : "/proc/self/exe");
	assert_int_equal(cfi_compile(module->elf, stack.rules, &module->table), 0);
	stack.module_count++;
	return 0;
}

static struct unwind_rule rule_of_address(u64 address)
{
	for (u32 i = 0; i < stack.module_count; i++) {
		const struct module *module = &stack.modules[i];
		u64 offset;

		if (elf_vaddr_to_offset(module->elf, address - module->base, &offset) == 0)
			return rule_at(stack.rules, &module->table, offset);
	}
	return (struct unwind_rule){0};
}

__attribute__((no_sanitize("address"))) static int read_word(void *arg, u64 address, u64 *ret_value)
{
	(void)arg;
	*ret_value = *(volatile u64 *)(uintptr_t)address;
	return 0;
}

UNWIND_DEFINE_STEP(read_word)

static __attribute__((noinline)) void take_stack(void)
{
	struct unwind_registers registers = {0};
	bool is_exact = true;

	stack.wanted_count = backtrace(stack.wanted, FRAMES_MAX);
	__asm__ volatile("leaq 0(%%rip), %0\n\tmovq %%rsp, %1\n\tmovq %%rbp, %2"
			 : "=r"(registers.ip), "=r"(registers.sp), "=r"(registers.bp));
	stack.count = 0;
	stack.end = UNWIND_GOES_ON;
	while (stack.end == UNWIND_GOES_ON && stack.count < FRAMES_MAX) {
		struct unwind_rule rule = rule_of_address(registers.ip - !is_exact);

		stack.frames[stack.count++] = registers.ip;
		is_exact = rule.cfa == CFA_SIGNAL;
		stack.end = UNWIND_STEP(&registers, &rule, read_word, NULL);
	}
}

static void on_signal(int signal)
{
	(void)signal;
	take_stack();
}

static int compare_and_raise(const void *left, const void *right)
{
	raise(SIGUSR1);
	return *(const u8 *)left - *(const u8 *)right;
}

static __attribute__((noinline)) u8 descend(size_t size)
{
	__attribute__((aligned(64))) u8 aligned[128];
	u8 *values = __builtin_alloca(size);

	memset(values, 1, size);
	memset(aligned, 2, sizeof(aligned));
	qsort(values, size, 1, compare_and_raise);
	return values[size - 1] + aligned[size];
}

static void test_cfi_tables_unwind_signal_library_and_realigned_frames_to_the_root(void **state)
{
	struct sigaction action = {.sa_handler = on_signal}, before;

	(void)state;
	stack = (struct stack){.rules = cfi_rules_new()};
	dl_iterate_phdr(add_module, NULL);
	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	assert_int_equal(descend(2), 3);
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);

	assert_int_equal(stack.end, UNWIND_COMPLETE);
	assert_true(stack.count > 8);
	/* From the root to take_stack's caller; a sanitizer puts a frame of its own between that and backtrace. */
	assert_in_range(stack.wanted_count, stack.count, stack.count + 1);
	for (u32 i = 1; i < stack.count; i++)
		assert_ptr_equal(stack.frames[stack.count - i], stack.wanted[(u32)stack.wanted_count - i]);
	for (u32 i = 0; i < stack.module_count; i++) {
		cfi_table_release(&stack.modules[i].table);
		elf_free(stack.modules[i].elf);
	}
	cfi_rules_free(stack.rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cfi_tables_unwind_signal_library_and_realigned_frames_to_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
