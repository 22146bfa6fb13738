/* SPDX-License-Identifier: GPL-2.0-or-later */
/* graft.c: files that cannot have the sampler, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>

#include "unit/inline/grafted_file.h"

static void assert_refused(struct elf *elf, const struct plan *plan, const char *reason)
{
	struct graft graft;

	assert_int_equal(graft_make(elf, plan, &graft_settings, &graft), 0);
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
}

#define ENTERED "its malloc may be entered behind its first instruction"

static void test_branch_from_another_function_refuses_the_file(void **state)
{
	(void)state;
	assert_code_has(SIMPLE_MALLOC, "push %rbx\n.byte 0xe9\n.long malloc+1-.-4", ENTERED);
	assert_code_has(SIMPLE_MALLOC, "push %rbx\n.byte 0xe9\n.long malloc-.-4", "");
	assert_code_has(SIMPLE_MALLOC, "push %rbx\n.byte 0xeb, malloc+1-.-1", ENTERED);
	assert_code_has(SIMPLE_MALLOC, "push %rbx\n.byte 0xeb, malloc-.-1", "");
	assert_code_has(".Lfirst: " SIMPLE_MALLOC, "ret\n.section .elsewhere,\"ax\"\n.byte 0xe9\n.long .Lfirst+1-.-4",
			ENTERED);
}

/* Nothing tells who calls the function. */
static void test_function_within_what_is_overwritten_refuses_the_file(void **state)
{
	(void)state;
	assert_code_has("push %rbx\n.globl inner\n.type inner, @function\ninner: mov %rdi, %rbx\n"
			"lea 8(%rbx), %rax\npop %rbx\nret",
			"ret", ENTERED);
	assert_code_has("push %rbx\nmov %rdi, %rbx\nnop\n.globl inner\n.type inner, @function\ninner: "
			"lea 8(%rbx), %rax\npop %rbx\nret",
			"ret", "");
}

/* Code is read in pieces of a mebibyte; and what is read of it does not end there. */
static void test_branch_across_a_border_of_reading_refuses_the_file(void **state)
{
	(void)state;
	for (int before = 0; before < 10; before++) {
		char other[96];

		snprintf(other, sizeof(other), ".org 0x100000-%d, 0x90\n.byte 0x0f, 0x84\n.long malloc+1-.-4", before);
		assert_code_has(SIMPLE_MALLOC, other, ENTERED);
	}
}

#define FUNCTION(name, code)                                                                                           \
	".globl " name "\n.type " name ", @function\n" name ": " code "\n.size " name ", .-" name "\n"
#define THROWING_NEW FUNCTION("_Znwm", SIMPLE_MALLOC)
#define NOTHROW_NEW  FUNCTION("_ZnwmRKSt9nothrow_t", SIMPLE_MALLOC)
/* As libstdc++ has it: what it calls counts. */
#define NOTHROW_NEW_CALLS FUNCTION("_ZnwmRKSt9nothrow_t", "push %rbx\nmov %rdi, %rbx\ncall _Znwm\npop %rbx\nret")
#define CANNOT_THROW	  "its _Znwm may throw, and no exception could pass the sampler"

/* As GCC links static programs: whoever looks for the frame of a sampled call that throws would not find the sampler's. */
static void test_functions_that_throw_need_a_table_of_frames(void **state)
{
	(void)state;
	assert_code_has(SIMPLE_MALLOC, "ret\n" THROWING_NEW, CANNOT_THROW);
	assert_code_has(SIMPLE_MALLOC, "ret\n" THROWING_NEW NOTHROW_NEW_CALLS, CANNOT_THROW);
	assert_code_has(SIMPLE_MALLOC, "ret\n.cfi_startproc\n" THROWING_NEW ".cfi_endproc", "");
}

static void test_functions_that_throw_need_no_table_beside_one_that_does_not(void **state)
{
	(void)state;
	assert_code_has(SIMPLE_MALLOC, "ret\n" THROWING_NEW NOTHROW_NEW, "");
}

/* A program from a target, with a pool as its user describes it. */
static void assert_pool_has(const char *compiler, const char *source, const char *description, const char *reason)
{
	struct custom_allocator *pool;
	struct plan plan;
	struct elf *elf;

	assert_int_equal(custom_allocator_parse(description, &pool), 0);
	run("%s -D_GNU_SOURCE -iquote %s/tests -o pool %s/tests/%s", compiler, SOURCE_DIR, SOURCE_DIR, source);
	elf = open_elf("pool");
	assert_int_equal(plan_make(elf, pool, &plan), 0);
	assert_refused(elf, &plan, reason);
	elf_free(elf);
	custom_allocator_free(pool);
}

#define RESIZES "pool:pool_get(size=1)=ret,pool_resize(ptr=1,size=2)=ret,pool_put(ptr=1)"
#define GROWS	"pool:pool_get(size=1)=ret,pool_grow(ptr=1,size=2)=ret,pool_put(ptr=1)"

static void test_pools_that_the_sampler_cannot_call_refuse_the_file(void **state)
{
	static const char *const throws = "e2e/targets/target_pool_throw.cc", *const registers =
										      "e2e/targets/target_registers.c";

	(void)state;
	assert_pool_has("cc -O2", registers, GROWS, "");
	assert_pool_has("musl-gcc -O2 -static", registers, GROWS, "");
	assert_pool_has("c++ -O1", throws, RESIZES, "its pool_resize may throw instead of resizing");
	assert_pool_has("c++ -O1 -static", throws, RESIZES,
			"its pool_get may throw, and no exception could pass the sampler");
	assert_pool_has("cc -O2", "fixture/stack_arguments.c", "pool:asks_malloc(size=2)=ret", "");
	assert_pool_has("cc -O2", "fixture/stack_arguments.c", "pool:seven(size=1)=ret",
			"its seven may look at what its caller has on the stack");
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

/* A gibibyte, of which the file has a page. */
static void test_table_that_is_too_large_refuses_the_file(void **state)
{
	struct plan plan;
	struct elf *elf;
	Elf64_Ehdr header;
	Elf64_Phdr row = {0};
	u64 at;
	int fd;

	(void)state;
	assert_code_has(SIMPLE_MALLOC, ".cfi_startproc\nret\n.cfi_endproc", "");
	fd = open("allocator.so", O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	for (at = header.e_phoff; row.p_type != PT_GNU_EH_FRAME; at += sizeof(row))
		assert_int_equal(pread(fd, &row, sizeof(row), (off_t)at), sizeof(row));
	row.p_filesz = row.p_memsz = 1 << 30;
	assert_int_equal(pwrite(fd, &row, sizeof(row), (off_t)(at - sizeof(row))), sizeof(row));
	close(fd);
	elf = open_elf("allocator.so");
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_function_of_another_kind_refuses_the_file),
		TEST(test_code_that_cannot_be_moved_refuses_the_file),
		TEST(test_branch_from_another_function_refuses_the_file),
		TEST(test_function_within_what_is_overwritten_refuses_the_file),
		TEST(test_branch_across_a_border_of_reading_refuses_the_file),
		TEST(test_functions_that_throw_need_a_table_of_frames),
		TEST(test_functions_that_throw_need_no_table_beside_one_that_does_not),
		TEST(test_pools_that_the_sampler_cannot_call_refuse_the_file),
		TEST(test_code_that_is_relocated_refuses_the_file),
		TEST(test_file_that_is_too_large_is_refused),
		TEST(test_range_outside_the_code_refuses_the_file),
		TEST(test_table_that_is_too_large_refuses_the_file),
		TEST(test_section_headers_that_are_not_there_refuse_the_file),
	};

	return cmocka_run_group_tests_name("graft_refusal", tests, NULL, NULL);
}
