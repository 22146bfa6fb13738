/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.c: the plans of the allocators that are libraries of their own, as Debian builds them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "binary/elf.h"
#include "binary/elf_symbols.h"
#include "probe/plan.h"

#define LIBRARIES "/usr/lib/x86_64-linux-gnu/"

static struct plan plan_of(const char *path)
{
	struct plan plan;
	struct elf *elf;

	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	elf_free(elf);
	return plan;
}

static const struct plan_probe *probe_of(const struct plan *plan, const char *symbol)
{
	for (u32 i = 0; i < plan->probe_count; i++)
		if (!strcmp(plan->probes[i].symbol, symbol))
			return &plan->probes[i];
	return NULL;
}

struct wanted {
	const char *symbol;
	u64 offset;
};

static int find_symbol(const struct elf_symbol *symbol, void *arg)
{
	struct wanted *wanted = arg;

	if (!strcmp(symbol->name, wanted->symbol))
		wanted->offset = symbol->offset;
	return 0;
}

/* What is called instead of a function that may throw, under whichever of its names it was listed. */
static void assert_nothrow(const struct plan *plan, const char *path, const char *symbol, const char *nothrow)
{
	struct wanted wanted = {.symbol = nothrow};
	struct elf *elf;

	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	assert_int_equal(elf_for_each_function(elf, find_symbol, &wanted), 0);
	elf_free(elf);
	assert_true(wanted.offset);
	assert_int_equal(probe_of(plan, symbol)->nothrow, wanted.offset);
}

static void test_plan_jemalloc_serves_what_it_defines_once(void **state)
{
	struct plan plan = plan_of(LIBRARIES "libjemalloc.so");

	(void)state;
	assert_string_equal(plan.name, "jemalloc");
	assert_int_equal(probe_of(&plan, "malloc")->kind, CALL_MALLOC);
	assert_int_equal(probe_of(&plan, "realloc")->kind, CALL_RESIZE);
	assert_int_equal(probe_of(&plan, "rallocx")->kind, CALL_RESIZE);
	assert_int_equal(probe_of(&plan, "sdallocx")->kind, CALL_FREE);
	assert_non_null(probe_of(&plan, "mallocx"));
	/* new[] is nothing but a jump to new. */
	assert_int_equal(probe_of(&plan, "_Znwm")->kind, CALL_NEW);
	assert_null(probe_of(&plan, "_Znam"));
	assert_null(probe_of(&plan, "_ZnwmSt11align_val_t"));
	assert_nothrow(&plan, LIBRARIES "libjemalloc.so", "_Znwm", "malloc");
	assert_int_equal(probe_of(&plan, "malloc")->nothrow, 0);
}

static void test_plan_tcmalloc_probes_each_address_once(void **state)
{
	struct plan plan = plan_of(LIBRARIES "libtcmalloc_minimal.so");

	(void)state;
	assert_string_equal(plan.name, "tcmalloc");
	for (u32 i = 0; i < plan.probe_count; i++)
		for (u32 j = 0; j < i; j++)
			assert_true(plan.probes[i].offset != plan.probes[j].offset);
	assert_null(probe_of(&plan, "posix_memalign"));
	assert_null(probe_of(&plan, "pvalloc"));
	assert_true(!probe_of(&plan, "_Znwm") != !probe_of(&plan, "_Znam"));
	for (u32 i = 0; i < plan.probe_count; i++)
		assert_int_equal(plan.probes[i].kind == CALL_NEW, plan.probes[i].nothrow != 0);
}

/* They check that delete gets what new has made, delete[] what new[] has, and free what malloc has. */
static void test_plan_tcmalloc_for_debugging_has_counterparts(void **state)
{
	static const char *const path = LIBRARIES "libtcmalloc_minimal_debug.so";
	struct plan plan = plan_of(path);

	(void)state;
	assert_nothrow(&plan, path, "_Znwm", "_ZnwmRKSt9nothrow_t");
	assert_nothrow(&plan, path, "_Znam", "_ZnamRKSt9nothrow_t");
	assert_nothrow(&plan, path, "_ZnwmSt11align_val_t", "_ZnwmSt11align_val_tRKSt9nothrow_t");
	assert_nothrow(&plan, path, "_ZnamSt11align_val_t", "_ZnamSt11align_val_tRKSt9nothrow_t");
}

static bool covers(const struct ranges *ranges, u64 offset)
{
	for (u32 i = 0; i < ranges->count; i++)
		if (offset >= ranges->range[i].start && offset < ranges->range[i].end)
			return true;
	return false;
}

static int check_uncovered(const struct elf_symbol *symbol, void *arg)
{
	const struct ranges *ranges = arg;

	/* No function of mimalloc's that hands out memory by calling another is taken for a helper. */
	if (!strcmp(symbol->name, "mi_posix_memalign") || !strcmp(symbol->name, "mi_new_aligned") ||
	    !strcmp(symbol->name, "mi_new_realloc") || !strcmp(symbol->name, "mi_reallocarray"))
		assert_false(covers(ranges, symbol->offset));
	return 0;
}

static void test_plan_mimalloc_ends_of_chains_have_the_probes(void **state)
{
	struct plan plan = plan_of(LIBRARIES "libmimalloc.so");
	bool version_3 = access(LIBRARIES "libmimalloc.so.3", F_OK) == 0;
	struct elf *elf;

	(void)state;
	assert_string_equal(plan.name, "mimalloc");
	assert_non_null(probe_of(&plan, "mi_heap_malloc_aligned_at"));
	assert_null(probe_of(&plan, "mi_malloc_aligned"));
	assert_null(probe_of(&plan, "mi_realloc"));
	assert_int_equal(probe_of(&plan, "mi_heap_realloc")->kind, CALL_RESIZE);
	/* In version 3 the operators all end in this one, in version 2 each has a body. */
	assert_int_equal(probe_of(&plan, "mi_heap_alloc_new")->kind, CALL_NEW);
	assert_int_equal(!probe_of(&plan, "mi_heap_alloc_new_n"), version_3);
	assert_int_equal(!probe_of(&plan, "mi_new_n"), version_3);
	assert_nothrow(&plan, LIBRARIES "libmimalloc.so", "mi_heap_alloc_new", "mi_heap_malloc");
	if (!version_3)
		assert_nothrow(&plan, LIBRARIES "libmimalloc.so", "mi_new_n", "mi_mallocn");
	/* Helpers without a name have ranges and no probes. */
	assert_true(plan.ranges.count > plan.probe_count);
	assert_int_equal(elf_open(open(LIBRARIES "libmimalloc.so", O_RDONLY | O_CLOEXEC), "mimalloc", &elf), 0);
	assert_int_equal(elf_for_each_function(elf, check_uncovered, &plan.ranges), 0);
	elf_free(elf);
}

static void test_plan_musl_counts_in_aligned_alloc_and_realloc(void **state)
{
	struct plan plan = plan_of("/lib/ld-musl-x86_64.so.1");

	(void)state;
	assert_string_equal(plan.name, "musl");
	assert_non_null(probe_of(&plan, "malloc"));
	assert_non_null(probe_of(&plan, "calloc"));
	assert_int_equal(probe_of(&plan, "realloc")->kind, CALL_RESIZE);
	assert_null(probe_of(&plan, "reallocarray"));
	assert_null(probe_of(&plan, "memalign"));
	assert_null(probe_of(&plan, "valloc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_jemalloc_serves_what_it_defines_once),
		cmocka_unit_test(test_plan_tcmalloc_probes_each_address_once),
		cmocka_unit_test(test_plan_tcmalloc_for_debugging_has_counterparts),
		cmocka_unit_test(test_plan_mimalloc_ends_of_chains_have_the_probes),
		cmocka_unit_test(test_plan_musl_counts_in_aligned_alloc_and_realloc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
