/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pymalloc.c on this program, which has tables and functions like CPython's, and on Debian's interpreter. What looks nearly like such
 * tables stands in front of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "binary/elf.h"
#include "probe/plan.h"
#include "probe/pymalloc_plan.h"
#include "probe/pymalloc.h"

void *small_malloc(void *context, size_t size);
void *small_calloc(void *context, size_t count, size_t size);
void *small_realloc(void *context, void *block, size_t size);
void small_free(void *context, void *block);
extern const char small_malloc_padding[], small_calloc_padding[], small_realloc_padding[], small_free_padding[],
	jump_to_malloc[], jump_to_libc[], jump_by_pointer[];

/*
 * As GCC 12 made them in Debian's python3.11. malloc has no instruction at which a breakpoint is cheap, and padding of nine bytes; realloc has all
 * kinds of jumps.
 */
asm(".text\n"
    ".p2align 4\n"
    "small_malloc_padding: .byte 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0\n"
    ".globl small_malloc\n.type small_malloc, @function\n"
    "small_malloc: .cfi_startproc\n"
    "lea -1(%rsi), %rax\nsub $24, %rsp\n.cfi_adjust_cfa_offset 24\ncmp $511, %rax\nja 1f\nadd $24, %rsp\n.cfi_adjust_cfa_offset -24\nret\n"
    "1: ud2\n.cfi_endproc\n.size small_malloc, . - small_malloc\n"
    "small_calloc_padding: .byte 0x66, 0x90\n"
    ".globl small_calloc\nsmall_calloc: .cfi_startproc\npush %rbp\npop %rbp\nret\n.cfi_endproc\n"
    "small_realloc_padding: .byte 0x90\n"
    ".globl small_realloc\nsmall_realloc: .cfi_startproc\n"
    "push %r13\ntest %rsi, %rsi\nje 2f\njs 3f\npop %r13\n"
    "jump_to_libc: jmp realloc@plt\n"
    "2: pop %r13\n"
    "jump_to_malloc: .byte 0xe9\n.long small_malloc - . - 4\n"
    "3: pop %r13\n"
    "jump_by_pointer: jmp *%rax\n"
    "4: jmp 4b\n.cfi_endproc\n"
    "small_free_padding: .byte 0x0f, 0x1f, 0x40, 0\n"
    ".globl small_free\nsmall_free: .cfi_startproc\n"
    "test %rsi, %rsi\nje 5f\npush %rbx\npop %rbx\n5: ret\n.cfi_endproc\n");

void *PyObject_Malloc(size_t size);
void PyMem_SetAllocator(int domain, void *allocator);

struct table {
	void *context;
	void *(*malloc)(void *context, size_t size);
	void *(*calloc)(void *context, size_t count, size_t size);
	void *(*realloc)(void *context, void *block, size_t size);
	void (*free)(void *context, void *block);
};

static void *raw_malloc(void *context, size_t size)
{
	return context ? NULL : malloc(size);
}

static void *raw_calloc(void *context, size_t count, size_t size)
{
	return context ? NULL : calloc(count, size);
}

static void *raw_realloc(void *context, void *block, size_t size)
{
	return context ? NULL : realloc(block, size);
}

static void raw_free(void *context, void *block)
{
	free(context ? NULL : block);
}

#define RAW                                                                                                            \
	{                                                                                                              \
		NULL, raw_malloc, raw_calloc, raw_realloc, raw_free                                                    \
	}
#define SMALL                                                                                                          \
	{                                                                                                              \
		NULL, small_malloc, small_calloc, small_realloc, small_free                                            \
	}
#define NO_TWINS                                                                                                       \
	{                                                                                                              \
		NULL, small_malloc, (void *)small_malloc, small_realloc, small_free                                    \
	}

struct debug {
	struct {
		char letter;
		struct table table;
	} raw, mem, obj;
};

/* In one struct, so that their order is this one. */
static struct {
	struct debug without_pymalloc, free_threaded, twins, other_letter;
	struct table raw, mem, obj, hooked;
	struct debug debug;
} data = {
	.without_pymalloc = {{'r', RAW}, {'m', RAW}, {'o', RAW}},
	.free_threaded = {{'r', RAW}, {'m', SMALL}, {'o', RAW}},
	.twins = {{'r', RAW}, {'m', NO_TWINS}, {'o', NO_TWINS}},
	.other_letter = {{'r', SMALL}, {'n', RAW}, {'o', RAW}},
	.raw = RAW,
	.mem = SMALL,
	.obj = SMALL,
	.hooked = {&data, small_malloc, small_calloc, small_realloc, small_free},
	.debug = {{'r', RAW}, {'m', SMALL}, {'o', SMALL}},
};

void *PyObject_Malloc(size_t size)
{
	return data.obj.malloc(data.obj.context, size);
}

void PyMem_SetAllocator(int domain, void *allocator)
{
	*(domain ? &data.mem : &data.obj) = *(struct table *)allocator;
}

extern char __executable_start;

static u64 vaddr(const void *address)
{
	return (u64)((uintptr_t)address - (uintptr_t)&__executable_start);
}

static struct elf *open_file(const char *path)
{
	struct elf *elf;

	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	return elf;
}

static int find(const char *path, struct pymalloc *ret_pymalloc)
{
	struct elf *elf = open_file(path);
	struct elf_dynamic *dynamic;
	int err;

	assert_int_equal(elf_dynamic_open(elf, &dynamic), 0);
	err = pymalloc_find(elf, dynamic, ret_pymalloc);
	elf_dynamic_free(dynamic);
	elf_free(elf);
	return err;
}

static void test_tables_and_functions(void **state)
{
	struct pymalloc found;

	(void)state;
	assert_int_equal(find("/proc/self/exe", &found), 0);
	assert_int_equal(found.functions[0], vaddr((void *)small_malloc));
	assert_int_equal(found.functions[1], vaddr((void *)small_calloc));
	assert_int_equal(found.functions[2], vaddr((void *)small_realloc));
	assert_int_equal(found.functions[3], vaddr((void *)small_free));
	assert_int_equal(found.table_count, 2);
	assert_int_equal(found.tables[0], vaddr(&data.mem.malloc));
	assert_int_equal(found.tables[1], vaddr(&data.obj.malloc));
}

static void test_entries_are_the_padding(void **state)
{
	struct pymalloc found;

	(void)state;
	assert_int_equal(find("/proc/self/exe", &found), 0);
	assert_int_equal(found.entries[0], vaddr(small_malloc_padding) + 1); /* the shortest will do */
	assert_int_equal(found.entries[1], vaddr(small_calloc_padding) + 1);
	assert_int_equal(found.entries[2], vaddr(small_realloc_padding));
	assert_int_equal(found.entries[3], vaddr(small_free_padding));
	assert_false(found.entry_is_nop[0]);
	assert_true(found.entry_is_nop[1]);
	assert_true(found.entry_is_nop[2]);
	assert_false(found.entry_is_nop[3]);
}

static void test_jumps_of_realloc(void **state)
{
	struct pymalloc found;

	(void)state;
	assert_int_equal(find("/proc/self/exe", &found), 0);
	assert_int_equal(found.malloc_jump, vaddr(jump_to_malloc));
	assert_int_equal(found.jump_count, 2);
	assert_int_equal(found.jumps[0], vaddr(jump_to_libc));
	assert_int_equal(found.jumps[1], vaddr(jump_by_pointer));
}

static void assert_probe(const struct plan_probe *probe, enum call_kind kind, const void *at, u8 one)
{
	assert_int_equal(probe->kind, kind);
	assert_int_equal(probe->offset, vaddr(at)); /* the linker places code at its offset in the file */
	assert_int_equal(probe->arg[0], one);
	assert_true(probe->site.emulated);
}

/* malloc is probed at the jump to it, which its tables lead to; realloc of NULL comes there too, so it is not counted twice. */
static void test_plan(void **state)
{
	struct elf *elf = open_file("/proc/self/exe");
	struct plan plan;

	(void)state;
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	elf_free(elf);
	assert_string_equal(plan.name, "CPython");
	assert_int_equal(plan.probe_count, 6);
	assert_probe(&plan.probes[0], CALL_MALLOC, jump_to_malloc, ARG_SI);
	assert_int_equal(plan.pymalloc.entries[0], vaddr(jump_to_malloc));
	assert_probe(&plan.probes[1], CALL_CALLOC, (void *)small_calloc, ARG_SI);
	assert_probe(&plan.probes[2], CALL_REALLOC, (void *)small_realloc, ARG_SI);
	assert_int_equal(plan.probes[3].kind, CALL_FREE);
	assert_true(plan.probes[3].site.skips_null);
	assert_int_equal(plan.probes[4].kind, CALL_PASSED);
	assert_int_equal(plan.probes[5].kind, CALL_PASSED);
	for (u32 i = 0; i < 4; i++)
		assert_true(plan_cookie(&plan.probes[i], 1, 2) & COOKIE_SMALL);
}

/* Where only samples are to trap nothing of it is left, and what is left over is no plan. */
static void test_plan_without_it(void **state)
{
	struct elf *elf = open_file("/proc/self/exe");
	struct plan plan;

	(void)state;
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	elf_free(elf);
	plan.probes[plan.probe_count++] = (struct plan_probe){.symbol = "malloc", .kind = CALL_MALLOC};
	assert_true(pymalloc_plan_leave(&plan));
	assert_int_equal(plan.probe_count, 1);
	assert_string_equal(plan.probes[0].symbol, "malloc");
	assert_int_equal(plan.pymalloc.table_count, 0);
	plan.probe_count = 0;
	assert_false(pymalloc_plan_leave(&plan));
}

static void test_other_program_has_none(void **state)
{
	struct pymalloc found;

	(void)state;
	assert_int_equal(find("/bin/sh", &found), -ENOENT);
}

/* Whichever version Debian has, stripped: two tables, all ways in, and each breakpoint at an instruction that is cheap. */
static void test_debian(void **state)
{
	struct elf *elf = open_file("/usr/bin/python3");
	struct plan plan;

	(void)state;
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	elf_free(elf);
	assert_string_equal(plan.name, "CPython");
	assert_int_equal(plan.pymalloc.table_count, 2);
	assert_int_equal(plan.doubtful_count, 0);
	for (unsigned int i = 0; i < PYMALLOC_FUNCTIONS; i++) {
		assert_int_not_equal(plan.pymalloc.entries[i], 0);
		assert_true(plan.probes[i].site.emulated);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables_and_functions),
		cmocka_unit_test(test_entries_are_the_padding),
		cmocka_unit_test(test_jumps_of_realloc),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_plan_without_it),
		cmocka_unit_test(test_other_program_has_none),
		cmocka_unit_test(test_debian),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
