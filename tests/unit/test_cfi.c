/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cfi.c and the files behind it, on real code: against libdw's own reading of libraries and of what the compilers make
 * of tests/fixture/frames.c, and against the C++ runtime's unwinder on the test's own stack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dwarf.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <gnu/lib-names.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../user/cfi.h"
#include "scratch.h"

static u64 random_state;

static u64 random_number(void)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return random_state >> 33;
}

static const char *libc_path(void)
{
	struct link_map *map;
	void *handle = dlopen(LIBC_SO, RTLD_LAZY | RTLD_NOLOAD);

	assert_non_null(handle);
	assert_int_equal(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
	dlclose(handle);
	return map->l_name;
}

static struct elf *must_open(const char *path)
{
	struct elf *elf;

	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	return elf;
}

static struct elf *must_open_bytes(const void *bytes, size_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct elf *elf;

	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(elf_open(fd, "image", &elf), 0);
	return elf;
}

static u8 *read_all(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	u8 *bytes;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	*ret_size = (size_t)status.st_size;
	bytes = malloc(*ret_size);
	assert_int_equal(fread(bytes, 1, *ret_size, file), *ret_size);
	fclose(file);
	return bytes;
}

static struct unwind_rule rule_at(const struct cfi_rules *rules, const struct cfi_table *table, u64 offset)
{
	u32 count, index = 0;
	const struct unwind_rule *all = cfi_rules_get(rules, &count);

	if (cfi_lookup(table, offset, &index) != 0)
		return (struct unwind_rule){0};
	assert_true(index < count);
	return all[index];
}

static void assert_rule(struct unwind_rule rule, u8 cfa, s32 offset, u8 bp, s16 bp_offset)
{
	assert_int_equal(rule.cfa, cfa);
	assert_int_equal(rule.offset, offset);
	assert_int_equal(rule.bp, bp);
	assert_int_equal(rule.bp_offset, bp_offset);
}

/* What include/unwind.h says of a table's form. */
static void assert_well_formed(const struct cfi_table *table)
{
	u32 pages = table->words[0];

	assert_true(pages > 0 && table->count >= 2 * pages + 2);
	assert_int_equal(table->words[1], pages + 2);
	assert_int_equal(table->words[1 + pages], table->count);
	assert_int_equal(table->row_count, table->count - pages - 2);
	for (u32 page = 0; page < pages; page++) {
		u32 first = table->words[1 + page], end = table->words[2 + page];

		assert_true(first < end && end <= table->count);
		assert_int_equal(table->words[first] & 0xffff, 0);
		for (u32 i = first + 1; i < end; i++) {
			assert_true((table->words[i] & 0xffff) > (table->words[i - 1] & 0xffff));
			assert_true(table->words[i] >> 16 != table->words[i - 1] >> 16);
		}
	}
}

/* --- against libdw --- */

static bool libdw_is(const Dwarf_Op *ops, size_t count, const u8 *atoms, size_t wanted)
{
	if (count != wanted)
		return false;
	for (size_t i = 0; i < count; i++)
		if (ops[i].atom != atoms[i])
			return false;
	return true;
}

/* False: somewhere else. *ret_offset: from the frame address, unless the register is the caller's already. */
static bool libdw_saved(Dwarf_Frame *frame, int number, bool *ret_is_same, bool *ret_is_undefined, s64 *ret_offset)
{
	Dwarf_Op memory[3], *ops;
	size_t count;

	assert_int_equal(dwarf_frame_register(frame, number, memory, &ops, &count), 0);
	*ret_is_same = count == 0 && !ops;
	*ret_is_undefined = count == 0 && ops == memory;
	*ret_offset = count == 2 ? (s64)ops[1].number : 0;
	return count == 0 || (ops[0].atom == DW_OP_call_frame_cfa &&
			      (count == 1 || (count == 2 && ops[1].atom == DW_OP_plus_uconst)));
}

static bool libdw_bp_is_where_bp_points(Dwarf_Frame *frame)
{
	Dwarf_Op memory[3], *ops;
	size_t count;

	assert_int_equal(dwarf_frame_register(frame, 6, memory, &ops, &count), 0);
	/* An expression for a register begins with the frame address on its stack. */
	return libdw_is(ops, count, (const u8[]){DW_OP_call_frame_cfa, DW_OP_breg6}, 2) && ops[1].number == 0;
}

static bool libdw_cfa(Dwarf_Frame *frame, struct unwind_rule *rule)
{
	static const u8 realigned[] = {DW_OP_breg6, DW_OP_deref};
	u8 plt[] = {DW_OP_breg7, DW_OP_breg16, DW_OP_lit15, DW_OP_and, 0, DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus};
	Dwarf_Op *ops;
	size_t count;

	assert_int_equal(dwarf_frame_cfa(frame, &ops, &count), 0);
	if (count == 1 && ops[0].atom == DW_OP_bregx && (ops[0].number == 6 || ops[0].number == 7)) {
		rule->cfa = ops[0].number == 7 ? CFA_SP : CFA_BP;
		rule->offset = (s32)ops[0].number2;
		return true;
	}
	if (count == sizeof(plt)) {
		plt[4] = ops[4].atom; /* where the linkers differ */
		rule->cfa = CFA_PLT;
		rule->offset = ops[4].atom - DW_OP_lit0;
		return libdw_is(ops, count, plt, sizeof(plt));
	}
	if (!libdw_is(ops, count, realigned, sizeof(realigned)) || !libdw_bp_is_where_bp_points(frame))
		return false;
	rule->cfa = CFA_BP_DEREF;
	rule->bp_offset = (s16)ops[0].number;
	return true;
}

static struct unwind_rule libdw_frame_rule(Dwarf_Frame *frame)
{
	const struct unwind_rule unknown = {0};
	bool is_same, is_undefined, is_signal;
	struct unwind_rule rule = {0};
	s64 offset;

	dwarf_frame_info(frame, NULL, NULL, &is_signal);
	if (is_signal)
		return (struct unwind_rule){.cfa = CFA_SIGNAL};
	if (!libdw_saved(frame, 16, &is_same, &is_undefined, &offset))
		return unknown;
	if (is_undefined)
		return (struct unwind_rule){.cfa = CFA_END};
	if (offset != -8 || !libdw_cfa(frame, &rule))
		return unknown;
	if (rule.cfa == CFA_BP_DEREF)
		return rule;
	if (!libdw_saved(frame, 6, &is_same, &is_undefined, &offset))
		return unknown;
	rule.bp = is_same || is_undefined ? BP_SAME : BP_SAVED;
	rule.bp_offset = (s16)offset;
	return rule;
}

static struct unwind_rule libdw_rule(Dwarf_CFI *cfi, u64 address)
{
	struct unwind_rule rule = {0};
	Dwarf_Frame *frame;

	if (dwarf_cfi_addrframe(cfi, address, &frame) != 0)
		return rule;
	rule = libdw_frame_rule(frame);
	free(frame);
	return rule;
}

struct comparison {
	struct elf *elf;
	Elf *handle;
	Dwarf_CFI *cfi;
	struct cfi_rules *rules;
	struct cfi_table table;
};

static void comparison_begin(struct comparison *comparison, const char *path)
{
	elf_version(EV_CURRENT);
	comparison->elf = must_open(path);
	comparison->handle = elf_begin(elf_fd(comparison->elf), ELF_C_READ, NULL);
	comparison->cfi = dwarf_getcfi_elf(comparison->handle);
	assert_non_null(comparison->cfi);
	comparison->rules = cfi_rules_new();
	assert_int_equal(cfi_compile(comparison->elf, comparison->rules, &comparison->table), 0);
	assert_well_formed(&comparison->table);
}

static void comparison_end(struct comparison *comparison)
{
	cfi_table_release(&comparison->table);
	cfi_rules_free(comparison->rules);
	dwarf_cfi_end(comparison->cfi);
	elf_end(comparison->handle);
	elf_free(comparison->elf);
}

/* Whether the offset is of code. */
static bool compare_at(const struct comparison *comparison, u64 offset)
{
	struct unwind_rule wanted, found;
	u64 address;

	if (elf_offset_to_vaddr(comparison->elf, offset, &address) != 0)
		return false;
	wanted = libdw_rule(comparison->cfi, address);
	found = rule_at(comparison->rules, &comparison->table, offset);
	if (memcmp(&wanted, &found, sizeof(wanted)) != 0)
		fail_msg("at %#llx: cfa %u %+d bp %u %+d instead of cfa %u %+d bp %u %+d", (unsigned long long)address,
			 found.cfa, found.offset, found.bp, found.bp_offset, wanted.cfa, wanted.offset, wanted.bp,
			 wanted.bp_offset);
	return true;
}

static void compare_at_random(const char *path, u32 count)
{
	struct comparison comparison;
	u64 size;

	comparison_begin(&comparison, path);
	size = (u64)comparison.table.words[0] << UNWIND_PAGE_SHIFT;
	random_state = 1;
	for (u32 compared = 0; compared < count;)
		compared += compare_at(&comparison, (random_number() << 20 ^ random_number()) % size);
	comparison_end(&comparison);
}

/* At every row, and at the byte before it. */
static void compare_at_rows(const char *path)
{
	struct comparison comparison;
	const struct cfi_table *table = &comparison.table;

	comparison_begin(&comparison, path);
	for (u32 page = 0; page < table->words[0]; page++) {
		for (u32 i = table->words[1 + page]; i < table->words[2 + page]; i++) {
			u64 offset = ((u64)page << UNWIND_PAGE_SHIFT) + (table->words[i] & 0xffff);

			compare_at(&comparison, offset);
			compare_at(&comparison, offset - 1);
		}
	}
	comparison_end(&comparison);
}

static void test_cfi_compile_libc_says_what_libdw_says(void **state)
{
	(void)state;
	compare_at_random(libc_path(), 10000);
	compare_at_rows(libc_path());
}

static void test_cfi_compile_other_libraries_say_what_libdw_says(void **state)
{
	static const char *const names[] = {"ld-linux-x86-64.so.2", "libdw.so.1", "libm.so.6", "libz.so.1"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *handle = dlopen(names[i], RTLD_LAZY);
		struct link_map *map;

		assert_non_null(handle);
		assert_int_equal(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
		compare_at_random(map->l_name, 10000);
		dlclose(handle);
	}
}

static u32 rows_of_kind(const struct comparison *comparison, u8 cfa)
{
	const struct cfi_table *table = &comparison->table;
	u32 kind_count = 0, count;
	const struct unwind_rule *rules = cfi_rules_get(comparison->rules, &count);

	for (u32 i = table->words[0] + 2; i < table->count; i++)
		kind_count += rules[table->words[i] >> 16].cfa == cfa;
	return kind_count;
}

static void test_cfi_compile_libc_is_small_and_has_every_special_row(void **state)
{
	struct comparison comparison;

	(void)state;
	comparison_begin(&comparison, libc_path());
	assert_true(comparison.table.count * sizeof(u32) < 150000);
	assert_true(rows_of_kind(&comparison, CFA_SIGNAL) > 0);
	assert_true(rows_of_kind(&comparison, CFA_PLT) > 0);
	assert_true(rows_of_kind(&comparison, CFA_END) > 0);
	assert_true(comparison.table.lost_count > 0 && comparison.table.lost_count < 100);
	comparison_end(&comparison);
}

static void test_cfi_compile_without_section_headers_is_the_same(void **state)
{
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table with, without;
	struct elf *elf;
	size_t size;
	u8 *bytes;

	(void)state;
	bytes = read_all(libc_path(), &size);
	elf = must_open_bytes(bytes, size);
	assert_int_equal(cfi_compile(elf, rules, &with), 0);
	elf_free(elf);
	((Elf64_Ehdr *)bytes)->e_shoff = ((Elf64_Ehdr *)bytes)->e_shnum = ((Elf64_Ehdr *)bytes)->e_shstrndx = 0;
	elf = must_open_bytes(bytes, size);
	assert_int_equal(cfi_compile(elf, rules, &without), 0);
	elf_free(elf);
	assert_int_equal(with.count, without.count);
	assert_memory_equal(with.words, without.words, with.count * sizeof(u32));
	cfi_table_release(&with);
	cfi_table_release(&without);
	cfi_rules_free(rules);
	free(bytes);
}

/* --- what the compilers make --- */

static void compile(const char *compiler, const char *name)
{
	char command[PATH_MAX + 128];

	snprintf(command, sizeof(command), "%s -O2 -shared -fPIC -o %s %s/tests/fixture/frames.c", compiler, name,
		 SOURCE_DIR);
	assert_int_equal(system(command), 0);
}

static int note_symbol(const struct elf_symbol *symbol, void *arg)
{
	struct elf_symbol *wanted = arg;

	if (strcmp(symbol->name, wanted->name) != 0)
		return 0;
	wanted->offset = symbol->offset;
	wanted->size = symbol->size;
	return 1;
}

static struct unwind_rule rule_of(const struct comparison *comparison, const char *function, u64 distance)
{
	struct elf_symbol symbol = {.name = function};

	assert_int_equal(elf_for_each_function(comparison->elf, note_symbol, &symbol), 1);
	return rule_at(comparison->rules, &comparison->table, symbol.offset + distance);
}

/* The kind of rule in force at the calls of `function`: that of most of its bytes. */
static u8 kind_of(const struct comparison *comparison, const char *function)
{
	struct elf_symbol symbol = {.name = function};
	u32 bytes[CFA_BP_DEREF + 1] = {0};
	u8 most = 0;

	assert_int_equal(elf_for_each_function(comparison->elf, note_symbol, &symbol), 1);
	for (u64 i = 0; i < symbol.size; i++)
		bytes[rule_at(comparison->rules, &comparison->table, symbol.offset + i).cfa]++;
	for (u8 kind = 0; kind <= CFA_BP_DEREF; kind++)
		most = bytes[kind] > bytes[most] ? kind : most;
	return most;
}

static void check_compiler(const char *compiler, u8 realigned_alloca)
{
	static const char *const entries[] = {"frame_plain", "frame_alloca", "frame_aligned", "frame_aligned_alloca"};
	struct comparison comparison;

	compile(compiler, "frames.so");
	compare_at_rows("./frames.so");
	comparison_begin(&comparison, "./frames.so");
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		assert_rule(rule_of(&comparison, entries[i], 0), CFA_SP, 8, BP_SAME, 0);
	assert_int_equal(kind_of(&comparison, "frame_plain"), CFA_SP);
	assert_int_equal(kind_of(&comparison, "frame_alloca"), CFA_BP);
	assert_int_equal(kind_of(&comparison, "frame_aligned"), CFA_BP);
	assert_int_equal(kind_of(&comparison, "frame_aligned_alloca"), realigned_alloca);
	comparison_end(&comparison);
}

static void test_cfi_compile_gcc_frames_have_their_rules(void **state)
{
	(void)state;
	check_compiler("gcc", CFA_BP_DEREF);
}

static void test_cfi_compile_clang_frames_have_their_rules(void **state)
{
	(void)state;
	check_compiler("clang", CFA_BP);
}

static void test_cfi_compile_packed_debug_frame_alone_is_read(void **state)
{
	struct elf_symbol symbol = {.name = "frame_alloca"};
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table table;
	struct elf *elf;

	(void)state;
	compile("gcc -g -gz=zlib -fno-asynchronous-unwind-tables -fno-unwind-tables -nostdlib", "frames.so");
	elf = must_open("frames.so");
	assert_int_equal(cfi_compile(elf, rules, &table), 0);
	assert_well_formed(&table);
	assert_int_equal(elf_for_each_function(elf, note_symbol, &symbol), 1);
	assert_rule(rule_at(rules, &table, symbol.offset), CFA_SP, 8, BP_SAME, 0);
	assert_rule(rule_at(rules, &table, symbol.offset + symbol.size / 2), CFA_BP, 16, BP_SAVED, -16);
	cfi_table_release(&table);
	elf_free(elf);
	cfi_rules_free(rules);
}

/* --- this process's own stack --- */

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
	struct unwind_registers registers;
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
		cmocka_unit_test(test_cfi_compile_libc_says_what_libdw_says),
		cmocka_unit_test(test_cfi_compile_other_libraries_say_what_libdw_says),
		cmocka_unit_test(test_cfi_compile_libc_is_small_and_has_every_special_row),
		cmocka_unit_test(test_cfi_compile_without_section_headers_is_the_same),
		cmocka_unit_test_setup_teardown(test_cfi_compile_gcc_frames_have_their_rules, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_cfi_compile_clang_frames_have_their_rules, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_cfi_compile_packed_debug_frame_alone_is_read, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(test_cfi_tables_unwind_signal_library_and_realigned_frames_to_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
