/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.c: the probe plan of this machine's own libc, and of files that have no allocator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binary/elf.h"
#include "binary/elf_symbols.h"
#include "probe/plan.h"
#include "system/proc_maps.h"
#include "system/address_map.h"

static int open_named(struct mapping *mapping, void *arg)
{
	const char *name = strrchr(mapping->path, '/');

	return name && !strcmp(name + 1, arg) ? open(mapping->path, O_RDONLY | O_CLOEXEC) : 0;
}

/* A file that this test maps. */
static struct elf *open_mapped(const char *name)
{
	struct elf *elf = NULL;
	int fd = proc_maps_for_each(getpid(), open_named, (void *)name);

	assert_true(fd > 0);
	assert_int_equal(elf_open(fd, name, &elf), 0);
	return elf;
}

static struct plan plan;
static struct elf *libc;

static int setup(void **state)
{
	(void)state;
	libc = open_mapped("libc.so.6");
	return plan_make(libc, NULL, &plan);
}

static int teardown(void **state)
{
	(void)state;
	elf_free(libc);
	return 0;
}

static const struct plan_probe *probe_of(const char *symbol)
{
	for (u32 i = 0; i < plan.probe_count; i++)
		if (!strcmp(plan.probes[i].symbol, symbol))
			return &plan.probes[i];
	return NULL;
}

static void assert_probed(const char *symbol, enum call_kind kind)
{
	const struct plan_probe *probe = probe_of(symbol);

	assert_non_null(probe);
	assert_int_equal(probe->kind, kind);
}

static void test_plan_make_libc_has_every_function_of_its_own(void **state)
{
	(void)state;
	assert_string_equal(plan.name, "glibc");
	assert_probed("malloc", CALL_MALLOC);
	assert_probed("calloc", CALL_CALLOC);
	assert_probed("realloc", CALL_REALLOC);
	assert_probed("posix_memalign", CALL_POSIX_MEMALIGN);
	assert_probed("valloc", CALL_MALLOC);
	assert_probed("pvalloc", CALL_MALLOC);
	assert_true(probe_of("free") || probe_of("cfree"));
	assert_true(probe_of("memalign") || probe_of("aligned_alloc"));
	assert_null(probe_of("reallocarray"));
}

static void test_plan_make_each_address_is_probed_once(void **state)
{
	(void)state;
	assert_int_equal(plan.ranges.count, plan.probe_count);
	for (u32 i = 0; i < plan.probe_count; i++) {
		for (u32 j = 0; j < i; j++) {
			assert_true(plan.probes[i].offset != plan.probes[j].offset);
			assert_true(plan.ranges.range[i].start != plan.ranges.range[j].start);
		}
	}
}

static void test_plan_make_each_site_lies_within_its_function(void **state)
{
	(void)state;
	for (u32 i = 0; i < plan.probe_count; i++) {
		const struct range *range = &plan.ranges.range[i];

		assert_true(range->start < range->end);
		assert_int_equal(plan.probes[i].offset, range->start + plan.probes[i].site.offset);
		assert_true(plan.probes[i].offset < range->end);
	}
}

/* The ranges of two functions never overlap, or a call could be taken for another's. */
static void test_plan_make_ranges_are_disjoint(void **state)
{
	(void)state;
	for (u32 i = 0; i < plan.ranges.count; i++)
		for (u32 j = 0; j < i; j++)
			assert_true(plan.ranges.range[i].end <= plan.ranges.range[j].start ||
				    plan.ranges.range[j].end <= plan.ranges.range[i].start);
}

/* What decides the price: on this libc malloc and free must not be single-stepped. */
static void test_plan_make_malloc_and_free_have_emulated_sites(void **state)
{
	(void)state;
	assert_true(probe_of("malloc")->site.emulated);
	assert_true((probe_of("free") ? probe_of("free") : probe_of("cfree"))->site.emulated);
}

static int find_malloc(const struct elf_symbol *symbol, void *arg)
{
	*(u64 *)arg = symbol->offset;
	return !strcmp(symbol->name, "malloc");
}

static void test_plan_make_offsets_are_those_of_the_symbols(void **state)
{
	u64 offset = 0;

	(void)state;
	assert_int_equal(elf_for_each_function(libc, find_malloc, &offset), 1);
	assert_int_equal(probe_of("malloc")->offset - probe_of("malloc")->site.offset, offset);
}

static void test_plan_make_says_which_arguments_of_the_function_matter(void **state)
{
	const u8 calloc_s[] = {1, 2, 0}, posix_memalign_s[] = {1, 3, 0};

	(void)state;
	assert_memory_equal(probe_of("calloc")->argument, calloc_s, 3);
	assert_memory_equal(probe_of("posix_memalign")->argument, posix_memalign_s, 3);
}

static void test_plan_cookie_says_what_the_probe_is(void **state)
{
	(void)state;
	for (u32 i = 0; i < plan.probe_count; i++) {
		const struct plan_probe *probe = &plan.probes[i];
		u64 cookie = plan_cookie(probe, 62, 1000);

		assert_int_equal(cookie_kind(cookie), probe->kind);
		assert_int_equal(cookie_arg1(cookie), probe->arg[0]);
		assert_int_equal(cookie_arg2(cookie), probe->arg[1]);
		assert_int_equal(cookie_scope(cookie), 62);
		assert_int_equal(cookie_allocator(cookie), 1000);
		assert_int_equal(cookie_site(cookie), probe->offset);
	}
	assert_int_equal(cookie_scope(plan_cookie(&plan.probes[0], SCOPE_BY_PID, 0)), SCOPE_BY_PID);
}

static void test_plan_make_file_without_allocator_has_none(void **state)
{
	struct elf *elf = NULL;
	struct plan none;

	(void)state;
	assert_int_equal(elf_open(open("/bin/true", O_RDONLY | O_CLOEXEC), "true", &elf), 0);
	assert_int_equal(plan_make(elf, NULL, &none), -ENOENT);
	elf_free(elf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_make_libc_has_every_function_of_its_own),
		cmocka_unit_test(test_plan_make_each_address_is_probed_once),
		cmocka_unit_test(test_plan_make_each_site_lies_within_its_function),
		cmocka_unit_test(test_plan_make_ranges_are_disjoint),
		cmocka_unit_test(test_plan_make_malloc_and_free_have_emulated_sites),
		cmocka_unit_test(test_plan_make_offsets_are_those_of_the_symbols),
		cmocka_unit_test(test_plan_make_says_which_arguments_of_the_function_matter),
		cmocka_unit_test(test_plan_cookie_says_what_the_probe_is),
		cmocka_unit_test(test_plan_make_file_without_allocator_has_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
