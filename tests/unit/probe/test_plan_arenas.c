/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.c: the plan of a program that has arenas as Firefox's has. This test defines them itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"
#include "probe/plan.h"

void *moz_arena_malloc(size_t arena, size_t size);
void *moz_arena_calloc(size_t arena, size_t count, size_t size);
void *moz_arena_realloc(size_t arena, void *block, size_t size);
void *moz_arena_memalign(size_t arena, size_t alignment, size_t size);
void moz_arena_free(size_t arena, void *block);

#define ARENA __attribute__((noinline, used))

static size_t uses[2];

ARENA void *moz_arena_malloc(size_t arena, size_t size)
{
	uses[arena]++;
	return malloc(size);
}

ARENA void *moz_arena_calloc(size_t arena, size_t count, size_t size)
{
	uses[arena]++;
	return calloc(count, size);
}

ARENA void *moz_arena_realloc(size_t arena, void *block, size_t size)
{
	uses[arena]++;
	return realloc(block, size);
}

ARENA void *moz_arena_memalign(size_t arena, size_t alignment, size_t size)
{
	uses[arena]++;
	return aligned_alloc(alignment, size);
}

ARENA void moz_arena_free(size_t arena, void *block)
{
	uses[arena]--;
	free(block);
}

static const struct plan_probe *probe_of(const struct plan *plan, const char *symbol)
{
	for (u32 i = 0; i < plan->probe_count; i++)
		if (!strcmp(plan->probes[i].symbol, symbol))
			return &plan->probes[i];
	fail_msg("no probe at %s", symbol);
	return NULL;
}

static void test_plan_arenas_have_probes_though_they_call_what_has_them_too(void **state)
{
	struct plan plan;
	struct elf *elf;

	(void)state;
	assert_int_equal(elf_open(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "exe", &elf), 0);
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	elf_free(elf);
	assert_string_equal(plan.name, "mozjemalloc");
	assert_int_equal(probe_of(&plan, "moz_arena_malloc")->kind, CALL_MALLOC);
	assert_int_equal(probe_of(&plan, "moz_arena_calloc")->kind, CALL_CALLOC);
	assert_int_equal(probe_of(&plan, "moz_arena_realloc")->kind, CALL_RESIZE);
	assert_int_equal(probe_of(&plan, "moz_arena_memalign")->kind, CALL_MALLOC);
	assert_int_equal(probe_of(&plan, "moz_arena_free")->kind, CALL_FREE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_arenas_have_probes_though_they_call_what_has_them_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
