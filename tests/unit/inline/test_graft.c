/* SPDX-License-Identifier: GPL-2.0-or-later */
/* graft.c: the copies of this machine's allocators are whole files, and say what they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>

#include "unit/inline/grafted_file.h"
#include "unwind/compile.h"

/* What tools say of the copy, apart from what was added. */
static void assert_told_alike(const char *option, const char *path, const char *copy)
{
	run("readelf -W %s %s | grep -v '^File: ' >before", option, path);
	run("readelf -W %s %s 2>complaints | grep -v '^File: ' >after", option, copy);
	run("cmp before after && test ! -s complaints");
}

static void test_sections_and_symbols_are_as_before(void **state)
{
	(void)state;
	must_graft(libc_path(), "libc.so.6");
	run("readelf -W --sections %s | grep '^  \\[' >before", libc_path());
	run("readelf -W --sections libc.so.6 2>complaints | grep '^  \\[' | head -n -2 >after");
	run("cmp before after && test ! -s complaints");
	assert_told_alike("--syms --dyn-syms", libc_path(), "libc.so.6");
	assert_told_alike("--relocs --dynamic --version-info", libc_path(), "libc.so.6");
	run("readelf -W --segments --notes libc.so.6 2>complaints >told && test ! -s complaints");
}

/* gdb looks for frames in sections only. There are three entries for each of some eight functions, and the sampler's. */
static void test_debuggers_are_told_of_the_frames(void **state)
{
	(void)state;
	must_graft(libc_path(), "libc.so.6");
	run("objdump --dwarf=frames-interp libc.so.6 >told 2>complaints && test ! -s complaints");
	run("test $(sed -n '/debug_frame/,$p' told | grep -c FDE) -gt 24");
}

/* For a sample that a signal handler of the program allocates in the midst of a sampled call. */
static void test_sampler_s_frames_are_in_heaptap_s_table(void **state)
{
	struct cfi_rules *rules = cfi_rules_new();
	const struct unwind_rule *rule;
	struct cfi_table table;
	struct graft graft;
	struct elf *elf;
	u32 number, count;

	(void)state;
	graft = graft_file(libc_path(), "copy");
	elf = open_elf("copy");
	assert_int_equal(cfi_compile(elf, rules, &table), 0);
	for (int i = 0; i < SAMPLER_SITES; i++) {
		assert_int_equal(cfi_lookup(&table, graft.sites[i], &number), 0);
		rule = cfi_rules_get(rules, &count) + number;
		assert_int_equal(rule->cfa, CFA_SP);
		assert_int_equal(rule->offset, 8);
	}
	cfi_table_release(&table);
	cfi_rules_free(rules);
	elf_free(elf);
	graft_release(&graft);
}

static void test_build_id_is_the_same(void **state)
{
	struct elf *before = open_elf(libc_path()), *after;
	unsigned int size = 0, size_after = 0;

	(void)state;
	must_graft(libc_path(), "libc.so.6");
	after = open_elf("libc.so.6");
	assert_memory_equal(elf_build_id(after, &size_after), elf_build_id(before, &size), BUILD_ID_MAX);
	assert_int_equal(size, size_after);
	elf_free(before);
	elf_free(after);
}

static void test_copy_says_what_it_is(void **state)
{
	(void)state;
	must_graft(libc_path(), "libc.so.6");
	/* readelf reads the notes of segments where there are no sections. */
	run("dd if=/dev/zero of=libc.so.6 bs=1 seek=40 count=8 conv=notrunc status=none");
	run("dd if=/dev/zero of=libc.so.6 bs=1 seek=60 count=4 conv=notrunc status=none");
	run("readelf -W --notes libc.so.6 | grep -q '^  heaptap '");
}

/* Its segments, at most as many as there is room for; how many. */
static u32 read_segments(const char *path, Elf64_Ehdr *ret_header, Elf64_Phdr ret_segments[16])
{
	struct elf *elf = open_elf(path);
	u32 count = 0;

	assert_int_equal(elf_read(elf, 0, ret_header, sizeof(*ret_header)), sizeof(*ret_header));
	for (u32 i = 0; i < ret_header->e_phnum && count < 16; i++) {
		Elf64_Phdr *row = &ret_segments[count];

		assert_int_equal(elf_read(elf, ret_header->e_phoff + i * sizeof(*row), row, sizeof(*row)),
				 sizeof(*row));
		count += row->p_type == PT_LOAD;
	}
	elf_free(elf);
	return count;
}

/* The rule of musl's loader and of old kernels. */
static void test_segments_ascend_and_have_one_distance_to_the_file(void **state)
{
	Elf64_Phdr segments[16];
	Elf64_Ehdr header;
	u32 count;

	(void)state;
	must_graft(JEMALLOC, "copy");
	count = read_segments("copy", &header, segments);
	assert_int_equal(count, 6);
	for (u32 i = 1; i < count; i++)
		assert_true(segments[i].p_vaddr >= segments[i - 1].p_vaddr + segments[i - 1].p_memsz);
	assert_int_equal(header.e_phoff, segments[4].p_offset);
	assert_int_equal(segments[4].p_vaddr - segments[4].p_offset, segments[0].p_vaddr - segments[0].p_offset);
}

/* Kernels before 6.7 make zeros behind an interpreter's last segment only. */
static void test_loader_has_zeros_behind_its_last_segment_only(void **state)
{
	Elf64_Phdr segments[16];
	Elf64_Ehdr header;
	u32 count;

	(void)state;
	must_graft(MUSL, "libc.so");
	count = read_segments("libc.so", &header, segments);
	for (u32 i = 0; i + 1 < count; i++)
		assert_int_equal(segments[i].p_filesz, segments[i].p_memsz);
}

static void test_sites_are_nops_and_config_says_what_was_set(void **state)
{
	struct graft graft;
	struct sampler_config config;
	struct elf *elf;
	u64 address;
	u8 site = 0;

	(void)state;
	graft = graft_file(libc_path(), "copy");
	elf = open_elf("copy");
	for (int i = 0; i < SAMPLER_SITES; i++) {
		assert_int_equal(elf_offset_to_vaddr(elf, graft.sites[i], &address), 0);
		assert_int_equal(elf_read(elf, graft.sites[i], &site, 1), 1);
		assert_int_equal(site, 0x90);
	}
	assert_int_equal(elf_read(elf, graft.config, &config, sizeof(config)), sizeof(config));
	assert_int_equal(config.sample_bytes, 64);
	assert_int_equal(config.session, 4711);
	assert_int_equal(config.table_bits, 17);
	assert_true(config.range_count > 5);
	/* None of them is on a page that a probe at a site, or a change of the rate, makes private. */
	for (int i = 0; i < SAMPLER_SITES; i++)
		assert_true(graft.sites[i] / SAMPLER_PAGE != graft.config / SAMPLER_PAGE);
	elf_free(elf);
	graft_release(&graft);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sections_and_symbols_are_as_before),
		TEST(test_build_id_is_the_same),
		TEST(test_debuggers_are_told_of_the_frames),
		TEST(test_sampler_s_frames_are_in_heaptap_s_table),
		TEST(test_copy_says_what_it_is),
		TEST(test_segments_ascend_and_have_one_distance_to_the_file),
		TEST(test_loader_has_zeros_behind_its_last_segment_only),
		TEST(test_sites_are_nops_and_config_says_what_was_set),
	};

	return cmocka_run_group_tests_name("graft", tests, NULL, NULL);
}
