/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * graft.c on this machine's allocators: files that are still whole, and programs that run on them. R is 64 bytes, so that most
 * calls take the sampler's slow way; its sites are nops, as nothing is attached to them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <gnu/libc-version.h>

#include "inline/graft.h"
#include "binary/elf.h"
#include "probe/plan.h"
#include "unit/binary/shell.h"
#include "unit/system/scratch.h"

#define MUSL	 "/lib/ld-musl-x86_64.so.1"
#define JEMALLOC "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"

static const struct graft_settings settings = {.sample_bytes = 64, .session = 4711, .memory_bytes = 1ULL << 40};

static struct elf *open_elf(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf *elf = NULL;

	assert_true(fd >= 0);
	assert_int_equal(elf_open(fd, path, &elf), 0);
	return elf;
}

static const char *libc_path(void)
{
	Dl_info libc;

	assert_true(dladdr((void *)gnu_get_libc_version, &libc));
	return libc.dli_fname;
}

/* Into the current directory, as heaptap writes its copies. */
static void write_copy(struct elf *elf, const struct graft *graft, const char *to)
{
	struct file_copies *set = calloc(1, sizeof(*set));

	assert_non_null(set);
	set->tree = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(file_copies_add(set, elf_fd(elf), &graft->change), 0);
	file_copies_free(set);
	assert_int_equal(rename("0", to), 0);
}

/* A copy of `path` with the sampler in it, under the name `to`. */
static struct graft graft_file(const char *path, const char *to)
{
	struct elf *elf = open_elf(path);
	struct graft graft;
	struct plan plan;

	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	assert_int_equal(graft_make(elf, &plan, &settings, &graft), 0);
	assert_string_equal(graft.reason, "");
	write_copy(elf, &graft, to);
	elf_free(elf);
	return graft;
}

static void must_graft(const char *path, const char *to)
{
	struct graft graft = graft_file(path, to);

	graft_release(&graft);
}

static void compile(const char *compiler, const char *source, const char *to)
{
	run("%s -g -O1 -fno-builtin -D_GNU_SOURCE -iquote %s -o %s %s/tests/fixture/%s", compiler, SOURCE_DIR, to,
	    SOURCE_DIR, source);
}

/* --- the file --- */

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
	assert_told_alike("--sections", libc_path(), "libc.so.6");
	assert_told_alike("--syms --dyn-syms", libc_path(), "libc.so.6");
	assert_told_alike("--relocs --dynamic --version-info", libc_path(), "libc.so.6");
	run("readelf -W --segments --notes libc.so.6 2>complaints >told && test ! -s complaints");
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

/* --- what cannot be done --- */

static void assert_refused(struct elf *elf, const struct plan *plan, const char *reason)
{
	struct graft graft;

	assert_int_equal(graft_make(elf, plan, &settings, &graft), 0);
	assert_string_equal(graft.reason, reason);
	graft_release(&graft);
}

static void test_function_of_another_kind_refuses_the_file(void **state)
{
	struct elf *elf = open_elf(libc_path());
	struct plan plan;

	(void)state;
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	plan.probes[1].kind = CALL_PASSED;
	plan.probes[1].symbol = "strdup";
	assert_refused(elf, &plan, "its strdup hands calls on");
	snprintf(plan.doubtful, sizeof(plan.doubtful), "memalign");
	plan.doubtful_count = 1;
	assert_refused(elf, &plan, "calls of its memalign may be missed");
	elf_free(elf);
}

/* An allocator whose malloc consists of these instructions, and whose other code of those. */
static void assert_code_has(const char *malloc_s, const char *other_s, const char *reason)
{
	struct elf *elf;
	struct plan plan;
	FILE *source = fopen("allocator.s", "we");

	assert_non_null(source);
	assert_true(
		fprintf(source,
			".globl malloc\n.type malloc, @function\nmalloc: %s\n.size malloc, .-malloc\n"
			".globl free\n.type free, @function\nfree: push %%rbx\nlea 8(%%rdi), %%rbx\npop %%rbx\nret\n"
			".size free, .-free\nother: %s\n",
			malloc_s, other_s) > 0);
	assert_int_equal(fclose(source), 0);
	run("cc -shared -nostdlib -o allocator.so allocator.s");
	elf = open_elf("allocator.so");
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	assert_refused(elf, &plan, reason);
	elf_free(elf);
}

#define SIMPLE_MALLOC "push %rbx\nmov %rdi, %rbx\nlea 8(%rbx), %rax\npop %rbx\nret"

static void test_code_that_cannot_be_moved_refuses_the_file(void **state)
{
	(void)state;
	assert_code_has("push %rbx\ncall other\npop %rbx\nret", "ret", "its malloc begins with a call");
	assert_code_has(SIMPLE_MALLOC, "ret", "");
	assert_code_has(SIMPLE_MALLOC, "push %rbx\n.byte 0xe9\n.long malloc+1-.-4",
			"its malloc may be entered behind its first instructions");
}

static bool is_refused_for_callers(struct elf *elf, const struct plan *plan)
{
	struct graft graft;
	bool refused;

	assert_int_equal(graft_make(elf, plan, &settings, &graft), 0);
	refused = !strncmp(graft.reason, "callers of its ", 15) &&
		  strstr(graft.reason, " may count on registers that it leaves alone");
	graft_release(&graft);
	return refused;
}

static void test_functions_compiled_with_their_callers_refuse_the_file(void **state)
{
	struct plan plan;
	struct elf *elf;

	(void)state;
	assert_code_has(SIMPLE_MALLOC, "ret", "");
	run("cc -nostdlib -static -Wl,-e,malloc -o program allocator.s");
	elf = open_elf("program");
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	assert_true(is_refused_for_callers(elf, &plan));
	elf_free(elf);
	elf = open_elf(libc_path());
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	assert_false(is_refused_for_callers(elf, &plan));
	plan.probes[0].pool = true;
	assert_true(is_refused_for_callers(elf, &plan));
	elf_free(elf);
}

#define THROWING_NEW                                                                                                      \
	"ret\n.globl _Znwm\n.type _Znwm, @function\n_Znwm: push %rbx\nmov %rdi, %rbx\nlea 8(%rbx), %rax\npop %rbx\nret\n" \
	".size _Znwm, .-_Znwm"

/* As GCC links static programs: whoever looks for the frame of a sampled call that throws would not find the sampler's. */
static void test_functions_that_throw_need_a_table_of_frames(void **state)
{
	(void)state;
	assert_code_has(SIMPLE_MALLOC, THROWING_NEW, "its functions may throw, and it has no .eh_frame_hdr");
	assert_code_has(SIMPLE_MALLOC, ".cfi_startproc\n" THROWING_NEW "\n.cfi_endproc", "");
}

static void test_code_that_is_relocated_refuses_the_file(void **state)
{
	struct plan plan;
	struct elf *elf;

	(void)state;
	assert_code_has(SIMPLE_MALLOC, "ret", "");
	run("sed -i 's/mov %%rdi, %%rbx/movabs $other, %%rbx/' allocator.s");
	run("cc -shared -nostdlib -Wl,-z,notext -o allocator.so allocator.s 2>warnings");
	elf = open_elf("allocator.so");
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	assert_refused(elf, &plan, "its code is relocated when it is loaded");
	elf_free(elf);
}

/* Five GiB of zeros, behind which the sampler's code would lie. */
static void test_file_that_is_too_large_is_refused(void **state)
{
	(void)state;
	assert_code_has(SIMPLE_MALLOC, "ret\n.bss\n.skip 0x140000000",
			"it is too large for its code to reach what is added");
}

#define CORRUPT "its headers contradict each other or its contents"

static void test_range_outside_the_code_refuses_the_file(void **state)
{
	struct elf *elf = open_elf(libc_path());
	struct plan plan;

	(void)state;
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	plan.ranges.range[0].start = plan.ranges.range[0].end = 1;
	assert_refused(elf, &plan, CORRUPT);
	elf_free(elf);
}

/* The loader does not read them. */
static void test_section_headers_that_are_not_there_refuse_the_file(void **state)
{
	struct plan plan;
	struct elf *elf;

	(void)state;
	assert_code_has(SIMPLE_MALLOC, "ret", "");
	run("truncate -s -8 allocator.so");
	elf = open_elf("allocator.so");
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	assert_refused(elf, &plan, CORRUPT);
	elf_free(elf);
}

/* --- programs --- */

static void run_on_libc(const char *program)
{
	struct elf *elf = open_elf(program);

	must_graft(libc_path(), "libc.so.6");
	run("%s --library-path . ./%s", elf_interpreter(elf), program);
	elf_free(elf);
}

static void test_dynamic_program_runs(void **state)
{
	(void)state;
	compile("cc", "sampled.c", "sampled");
	run_on_libc("sampled");
	run("/lib64/ld-linux-x86-64.so.2 --library-path . --list ./sampled | grep -q 'libc.so.6 => ./libc.so.6'");
	run("LD_BIND_NOW=1 LD_LIBRARY_PATH=. ./sampled");
}

static void test_static_programs_run(void **state)
{
	(void)state;
	compile("cc -static", "sampled.c", "static");
	must_graft("static", "sampled");
	run("./sampled");
	compile("cc -static-pie", "sampled.c", "static-pie");
	must_graft("static-pie", "sampled");
	run("./sampled");
}

static void test_musl_programs_run(void **state)
{
	(void)state;
	compile("musl-gcc -static", "sampled.c", "static");
	must_graft("static", "sampled");
	run("./sampled");
	must_graft(MUSL, "libc.so");
	compile("musl-gcc -Wl,-dynamic-linker,./libc.so", "sampled.c", "sampled");
	run("./sampled");
	run("./libc.so ./sampled");
}

static void test_exceptions_pass_the_c_library(void **state)
{
	(void)state;
	compile("c++", "throwing.cc", "throwing");
	run_on_libc("throwing");
}

static void test_exceptions_pass_an_allocator_that_throws(void **state)
{
	(void)state;
	compile("cc", "sampled.c", "sampled");
	compile("c++", "throwing.cc", "throwing");
	must_graft(JEMALLOC, "jemalloc.so");
	run("LD_PRELOAD=./jemalloc.so ./sampled");
	run("LD_PRELOAD=./jemalloc.so ./throwing");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sections_and_symbols_are_as_before),
		TEST(test_copy_says_what_it_is),
		TEST(test_build_id_is_the_same),
		TEST(test_segments_ascend_and_have_one_distance_to_the_file),
		TEST(test_loader_has_zeros_behind_its_last_segment_only),
		TEST(test_sites_are_nops_and_config_says_what_was_set),
		TEST(test_function_of_another_kind_refuses_the_file),
		TEST(test_code_that_cannot_be_moved_refuses_the_file),
		TEST(test_functions_compiled_with_their_callers_refuse_the_file),
		TEST(test_functions_that_throw_need_a_table_of_frames),
		TEST(test_code_that_is_relocated_refuses_the_file),
		TEST(test_file_that_is_too_large_is_refused),
		TEST(test_range_outside_the_code_refuses_the_file),
		TEST(test_section_headers_that_are_not_there_refuse_the_file),
		TEST(test_dynamic_program_runs),
		TEST(test_static_programs_run),
		TEST(test_musl_programs_run),
		TEST(test_exceptions_pass_the_c_library),
		TEST(test_exceptions_pass_an_allocator_that_throws),
	};

	return cmocka_run_group_tests_name("graft", tests, NULL, NULL);
}
