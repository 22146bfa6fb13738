/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile.c and the cfi_* files, on real code: against libdw's own reading of libraries and of what the compilers make
 * of tests/fixture/frames.c.
 */
#include <elf.h>
#include <gnu/lib-names.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "binary/elf_symbols.h"
#include "cfi_file.h"
#include "file_bytes.h"
#include "libdw_rule.h"
#include "random.h"
#include "unit/system/scratch.h"

static const char *libc_path(void)
{
	struct link_map *map;
	void *handle = dlopen(LIBC_SO, RTLD_LAZY | RTLD_NOLOAD);

	assert_non_null(handle);
	assert_int_equal(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
	dlclose(handle);
	return map->l_name;
}

static struct elf *must_open_bytes(const void *bytes, size_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct elf *elf;

	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(elf_open(fd, "image", &elf), 0);
	return elf;
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

/* libdw does not distinguish a register without a rule from one that is explicitly undefined. */
static struct unwind_rule without_lost(struct unwind_rule rule)
{
	if (rule.bp == SAVED_LOST)
		rule.bp = SAVED_NOT;
	if (rule.bx == SAVED_LOST)
		rule.bx = SAVED_NOT;
	return rule;
}

/* Whether the offset is of code. */
static bool compare_at(const struct comparison *comparison, u64 offset)
{
	struct unwind_rule wanted, found;
	u64 address;

	if (elf_offset_to_vaddr(comparison->elf, offset, &address) != 0)
		return false;
	wanted = without_lost(libdw_rule(comparison->cfi, address));
	found = without_lost(rule_at(comparison->rules, &comparison->table, offset));
	if (memcmp(&wanted, &found, sizeof(wanted)) != 0)
		fail_msg("at %#llx: cfa %u %+d (%d) bp %u %+d bx %u %+d instead of cfa %u %+d (%d) bp %u %+d bx %u %+d",
			 (unsigned long long)address, found.cfa, found.offset, found.at, found.bp, found.bp_offset,
			 found.bx, found.bx_offset, wanted.cfa, wanted.offset, wanted.at, wanted.bp, wanted.bp_offset,
			 wanted.bx, wanted.bx_offset);
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
	u32 bytes[CFA_SIGNALED + 1] = {0};
	u8 most = 0;

	assert_int_equal(elf_for_each_function(comparison->elf, note_symbol, &symbol), 1);
	for (u64 i = 0; i < symbol.size; i++)
		bytes[rule_at(comparison->rules, &comparison->table, symbol.offset + i).cfa]++;
	for (u8 kind = 0; kind <= CFA_SIGNALED; kind++)
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
		assert_rule(rule_of(&comparison, entries[i], 0), CFA_SP, 8, SAVED_NOT, 0);
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
	assert_rule(rule_at(rules, &table, symbol.offset), CFA_SP, 8, SAVED_NOT, 0);
	assert_rule(rule_at(rules, &table, symbol.offset + symbol.size / 2), CFA_BP, 16, SAVED_AT_CFA, -16);
	cfi_table_release(&table);
	elf_free(elf);
	cfi_rules_free(rules);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
