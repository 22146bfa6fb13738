/* SPDX-License-Identifier: GPL-2.0-or-later */
/* graft.c: programs run on the copies of this machine's allocators as they do on those themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/inline/grafted_file.h"

static const char *const replacements[] = {JEMALLOC, TCMALLOC, MIMALLOC};
#define REPLACEMENTS (sizeof(replacements) / sizeof(*replacements))

static void compile(const char *compiler, const char *source, const char *to)
{
	run("%s -g -O1 -fno-builtin -D_GNU_SOURCE -iquote %s -o %s %s/tests/fixture/%s", compiler, SOURCE_DIR, to,
	    SOURCE_DIR, source);
}

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

/* Wherever an allocation is interrupted: in the fast path, in what was moved into it, in the sampler, in the function. */
static void test_stack_is_found_at_each_instruction(void **state)
{
	(void)state;
	compile("cc", "stepped.c", "stepped");
	run("./stepped >told || { cat told; false; }");
	run_on_libc("stepped");
	for (size_t i = 0; i < REPLACEMENTS; i++) {
		must_graft(replacements[i], "allocator.so");
		run("LD_PRELOAD=./allocator.so ./stepped");
	}
}

static void test_programs_run_on_other_allocators(void **state)
{
	(void)state;
	compile("cc", "sampled.c", "sampled");
	for (size_t i = 0; i < REPLACEMENTS; i++) {
		must_graft(replacements[i], "allocator.so");
		run("LD_PRELOAD=./allocator.so ./sampled");
	}
}

/* The fast paths of an allocator in the program itself keep registers on the stack. */
static void test_stack_is_found_at_each_instruction_of_an_own_allocator(void **state)
{
	(void)state;
	run("cc -O2 -g -fno-builtin -D_GNU_SOURCE -DSHAPE=OWN -o own %s/tests/fixture/stepped.c %s/tests/e2e/targets/allocator.c",
	    SOURCE_DIR, SOURCE_DIR);
	must_graft("own", "stepped");
	run("./stepped");
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

/* What the compiler knows of a pool and its callers, or of a malloc and its callers, stays true. */
static void test_registers_are_kept_for_callers_in_the_file(void **state)
{
	static const char *const variants[] = {"", "-Dpool_get=malloc -Dpool_grow=realloc -Dpool_put=free"};
	struct custom_allocator *pool;

	(void)state;
	assert_int_equal(
		custom_allocator_parse("whole:pool_get(size=1)=ret,pool_grow(ptr=1,size=2)=ret,pool_put(ptr=1)", &pool),
		0);
	for (size_t i = 0; i < 2; i++) {
		struct graft graft;

		run("cc -O2 -fno-builtin -D_GNU_SOURCE %s -iquote %s/tests -o whole %s/tests/e2e/targets/target_registers.c",
		    variants[i], SOURCE_DIR, SOURCE_DIR);
		graft = graft_file_with(pool, "whole", "grafted");
		graft_release(&graft);
		run("./grafted </dev/null");
	}
	custom_allocator_free(pool);
}

#define POOL "pool:pool_get(size=1)=ret,pool_put(ptr=1)"

/* A frame of the sampler's is between the pool and its caller: an exception passes it, or it waits while others run. */
static void test_pools_that_throw_or_switch_stacks(void **state)
{
	struct custom_allocator *pool;
	struct graft graft;

	(void)state;
	assert_int_equal(custom_allocator_parse(POOL, &pool), 0);
	run("c++ -O1 -iquote %s/tests -o pool %s/tests/e2e/targets/target_pool_throw.cc", SOURCE_DIR, SOURCE_DIR);
	graft = graft_file_with(pool, "pool", "grafted");
	graft_release(&graft);
	run("./grafted </dev/null");
	run("cc -O1 -D_GNU_SOURCE -iquote %s/tests -o pool %s/tests/e2e/targets/target_pool_switch.c", SOURCE_DIR,
	    SOURCE_DIR);
	graft = graft_file_with(pool, "pool", "grafted");
	graft_release(&graft);
	run("./grafted </dev/null");
	custom_allocator_free(pool);
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

/* Linked statically there is no table of frames that the sampler's could be put into. */
static void test_exceptions_pass_an_allocator_without_a_table_of_frames(void **state)
{
	(void)state;
	run("c++ -static -g -O1 -fno-builtin -Wl,-u,mallocx,-u,_Znwm -o static %s/tests/fixture/throwing.cc "
	    "-Wl,--start-group -l:libjemalloc.a -lstdc++ -lm -lpthread -ldl -lc -lgcc_eh -Wl,--end-group",
	    SOURCE_DIR);
	run("! readelf -W --segments static | grep GNU_EH_FRAME");
	must_graft("static", "throwing");
	run("./throwing");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dynamic_program_runs),
		TEST(test_stack_is_found_at_each_instruction),
		TEST(test_programs_run_on_other_allocators),
		TEST(test_stack_is_found_at_each_instruction_of_an_own_allocator),
		TEST(test_static_programs_run),
		TEST(test_musl_programs_run),
		TEST(test_registers_are_kept_for_callers_in_the_file),
		TEST(test_pools_that_throw_or_switch_stacks),
		TEST(test_exceptions_pass_the_c_library),
		TEST(test_exceptions_pass_an_allocator_that_throws),
		TEST(test_exceptions_pass_an_allocator_without_a_table_of_frames),
	};

	return cmocka_run_group_tests_name("graft_program", tests, NULL, NULL);
}
