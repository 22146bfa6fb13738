/* SPDX-License-Identifier: GPL-2.0-or-later */
/* allocator.c: what the table says, and that the libc this test runs with is recognised by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>

#include "probe/allocator.h"
#include "binary/elf.h"
#include "binary/elf_symbols.h"
#include "probe/site.h"

static const struct allocator *family(const char *name)
{
	unsigned int count;
	const struct allocator *table = allocator_table(&count);

	for (unsigned int i = 0; i < count; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	fail_msg("no family \"%s\"", name);
	return NULL;
}

static void assert_function(const char *symbol, enum call_kind kind, unsigned int arguments, enum passing passing)
{
	const struct allocator_function *function = allocator_find(family("glibc"), symbol);

	assert_non_null(function);
	assert_string_equal(function->symbol, symbol);
	assert_int_equal(function->kind, kind);
	assert_int_equal(allocator_arguments(function), arguments);
	assert_int_equal(function->passing, passing);
}

static void test_allocator_glibc_allocating_functions_have_their_kind(void **state)
{
	(void)state;
	assert_function("malloc", CALL_MALLOC, 1, PASSING_NO);
	assert_function("calloc", CALL_CALLOC, 3, PASSING_NO);
	assert_function("realloc", CALL_REALLOC, 3, PASSING_NO);
	assert_function("aligned_alloc", CALL_ALIGNED, 3, PASSING_NO);
	assert_function("memalign", CALL_ALIGNED, 3, PASSING_NO);
	assert_function("posix_memalign", CALL_POSIX_MEMALIGN, 5, PASSING_NO);
	assert_function("valloc", CALL_MALLOC, 1, PASSING_NO);
	assert_function("pvalloc", CALL_MALLOC, 1, PASSING_NO);
}

static void test_allocator_glibc_freeing_functions_read_the_pointer_alone(void **state)
{
	(void)state;
	assert_function("free", CALL_FREE, 1, PASSING_NO);
	assert_function("cfree", CALL_FREE, 1, PASSING_NO);
}

static void test_allocator_glibc_forwarding_functions_need_no_probe(void **state)
{
	(void)state;
	assert_function("reallocarray", CALL_RESIZE_ARRAY, 7, PASSING_BY_CODE);
	assert_function("free_sized", CALL_FREE, 1, PASSING_BY_CODE);
	assert_function("free_aligned_sized", CALL_FREE, 1, PASSING_BY_CODE);
}

static void test_allocator_find_of_other_functions_is_null(void **state)
{
	(void)state;
	assert_null(allocator_find(family("glibc"), ""));
	assert_null(allocator_find(family("glibc"), "mallo"));
	assert_null(allocator_find(family("glibc"), "malloc_usable_size"));
	assert_null(allocator_find(family("glibc"), "_Znwm"));
}

/* It takes the arguments of the one that throws, so that it can be called with them. */
static void check_nothrow(const struct allocator *family, const struct allocator_function *function)
{
	const struct allocator_function *nothrow;

	assert_int_equal(!function->nothrow, function->kind < CALL_NEW);
	if (!function->nothrow)
		return;
	nothrow = allocator_find(family, function->nothrow);
	assert_int_equal(nothrow->kind, function->kind == CALL_NEW ? CALL_MALLOC : CALL_CALLOC);
	assert_memory_equal(nothrow->arg, function->arg, sizeof(nothrow->arg));
}

static void check_family(const struct allocator *family)
{
	for (unsigned int j = 0; j < family->function_count; j++) {
		const struct allocator_function *function = &family->functions[j];
		char symbol[64];

		snprintf(symbol, sizeof(symbol), "%s%s", family->prefix, function->symbol);
		if (family->prefix[0] && function->symbol[0] == '_')
			assert_null(allocator_find(family, symbol));
		else
			assert_ptr_equal(allocator_find(family, symbol), function);
		if (!family->prefix[0])
			check_nothrow(family, function);
		assert_true(function->kind > CALL_NONE && function->kind <= CALL_NEW_ARRAY);
		assert_in_range(function->arg[0], function->kind == CALL_DUPLICATE ? 0 : 1, SITE_ARGS_MAX);
		assert_in_range(function->arg[1], 0, SITE_ARGS_MAX);
		assert_in_range(function->arg[2], 0, 3);
		assert_true(function->kind != CALL_PASSED);
	}
}

/* No function stands twice in a family, arguments are where a site can follow them, and a marker is one family's. */
static void test_allocator_table_every_family_fits_the_kernel_side(void **state)
{
	unsigned int count;
	const struct allocator *table = allocator_table(&count);

	(void)state;
	check_family(allocator_standard());
	for (unsigned int i = 0; i < count; i++) {
		assert_true(table[i].markers[0] && table[i].markers[0][0]);
		assert_int_equal(allocator_marker(&table[i], table[i].markers[0]), 1);
		check_family(&table[i]);
		for (unsigned int j = 0; j < i; j++)
			assert_int_equal(allocator_marker(&table[j], table[i].markers[0]), 0);
	}
}

static void test_allocator_prefix_is_part_of_the_name(void **state)
{
	const struct allocator *plain = family("jemalloc"), *prefixed = family("jemalloc (_rjem_)");

	(void)state;
	assert_non_null(allocator_find(plain, "malloc"));
	assert_null(allocator_find(plain, "_rjem_malloc"));
	assert_null(allocator_find(prefixed, "malloc"));
	assert_string_equal(allocator_find(prefixed, "_rjem_sdallocx")->symbol, "sdallocx");
}

/* What only stands in for a few of its functions, as a test's preloaded library does for mallocx, is none. */
static void test_allocator_jemalloc_is_known_by_two_functions(void **state)
{
	static const char *const names[] = {"jemalloc", "jemalloc (je_)", "jemalloc (_rjem_)"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct allocator *jemalloc = family(names[i]);
		char symbol[32];

		snprintf(symbol, sizeof(symbol), "%smallocx", jemalloc->prefix);
		assert_int_equal(allocator_marker(jemalloc, symbol), 1);
		snprintf(symbol, sizeof(symbol), "%smallctl", jemalloc->prefix);
		assert_int_equal(allocator_marker(jemalloc, symbol), 2);
	}
}

/* The arena is the first argument of each, so what is asked for stands one further back than in its namesake. */
static void test_allocator_arena_is_no_size(void **state)
{
	const struct allocator *firefox = family("mozjemalloc");

	(void)state;
	assert_int_equal(allocator_arguments(allocator_find(firefox, "moz_arena_malloc")), 2);
	assert_int_equal(allocator_arguments(allocator_find(firefox, "moz_arena_calloc")), 6);
	assert_int_equal(allocator_arguments(allocator_find(firefox, "moz_arena_realloc")), 6);
	assert_int_equal(allocator_arguments(allocator_find(firefox, "moz_arena_memalign")), 4);
	assert_int_equal(allocator_arguments(allocator_find(firefox, "moz_arena_free")), 2);
	assert_true(firefox->replaces);
}

struct sightings {
	unsigned int markers, malloc, free;
};

static int sight(const struct elf_symbol *symbol, void *arg)
{
	const struct allocator *glibc = family("glibc");
	const struct allocator_function *function = allocator_find(glibc, symbol->name);
	struct sightings *sightings = arg;

	sightings->markers += allocator_marker(glibc, symbol->name) == 1;
	sightings->malloc += function && function->kind == CALL_MALLOC;
	sightings->free += function && function->kind == CALL_FREE;
	return 0;
}

static struct sightings look_into(const char *path)
{
	struct sightings sightings = {0};
	struct elf *elf;

	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	assert_int_equal(elf_for_each_function(elf, sight, &sightings), 0);
	elf_free(elf);
	return sightings;
}

static void test_allocator_glibc_marker_is_in_libc_and_not_in_a_program_using_it(void **state)
{
	struct sightings sightings;
	Dl_info info;

	(void)state;
	assert_true(dladdr((const void *)(uintptr_t)gnu_get_libc_version, &info));
	sightings = look_into(info.dli_fname);
	assert_true(sightings.markers > 0);
	assert_true(sightings.malloc >= 3);
	assert_true(sightings.free >= 1);
	assert_int_equal(look_into("/proc/self/exe").markers, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allocator_glibc_allocating_functions_have_their_kind),
		cmocka_unit_test(test_allocator_glibc_freeing_functions_read_the_pointer_alone),
		cmocka_unit_test(test_allocator_glibc_forwarding_functions_need_no_probe),
		cmocka_unit_test(test_allocator_find_of_other_functions_is_null),
		cmocka_unit_test(test_allocator_table_every_family_fits_the_kernel_side),
		cmocka_unit_test(test_allocator_prefix_is_part_of_the_name),
		cmocka_unit_test(test_allocator_jemalloc_is_known_by_two_functions),
		cmocka_unit_test(test_allocator_arena_is_no_size),
		cmocka_unit_test(test_allocator_glibc_marker_is_in_libc_and_not_in_a_program_using_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
